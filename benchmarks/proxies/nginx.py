"""nginx twice: as the peer (keep-alive pool, no access log), and as the origin behind all."""

from __future__ import annotations

from benchmarks.proxies.subject import (
    Place,
    Subject,
    UnavailableError,
    free_port,
    start,
    version,
    wait_ready,
)

# Ten answers, so that a monitor sees predictions that vary; nginx picks one for a hash's price.
_ORIGIN = """\
split_clients "$connection$connection_requests" $prediction {{
  10% 1.25; 10% 2.5; 10% 3.75; 10% 5.125; 10% 6.25; 10% 7.5; 10% 8.75; 10% 9.125; 10% 10.25; * 11.5;
}}
server {{
  listen 127.0.0.1:{port} backlog=1024;
  location / {{
    default_type application/json;
    return 200 '{{"prediction": $prediction}}';
  }}
}}
"""

_PROXY = """\
upstream origin {{
  server 127.0.0.1:{origin_port};
  keepalive 64;
  keepalive_requests 1000000000;
}}
server {{
  listen 127.0.0.1:{port} backlog=1024;
  location / {{
    proxy_pass http://origin;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_buffering {buffering};
    proxy_request_buffering {buffering};
  }}
}}
"""

_FRAME = """\
daemon off;
pid {directory}/{name}.pid;
error_log stderr error;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/{name}-body;
  proxy_temp_path {directory}/{name}-proxy;
  fastcgi_temp_path {directory}/{name}-fastcgi;
  uwsgi_temp_path {directory}/{name}-uwsgi;
  scgi_temp_path {directory}/{name}-scgi;
{content}
}}
"""


def start_origin(place: Place) -> Subject:
    """The origin: answers every request with a JSON prediction, from `place.proxy_cores`."""
    port = free_port()
    return _run("origin", port, _ORIGIN.format(port=port), place)


def start_proxy(place: Place) -> Subject:
    """The peer; it streams, as whatever stands before a model must, and collects no body first."""
    port = free_port()
    content = _PROXY.format(port=port, origin_port=place.origin_port, buffering="off")
    return _run("nginx", port, content, place)


def _run(name: str, port: int, content: str, place: Place) -> Subject:
    program = place.tools.nginx
    if program is None:
        raise UnavailableError("nginx is not installed")
    file = place.directory / f"{name}.conf"
    file.write_text(_FRAME.format(directory=place.directory, name=name, content=content))
    process = start(
        name, [program, "-p", str(place.directory), "-c", str(file), "-e", "stderr"], place
    )
    return wait_ready(Subject(name, version([program, "-v"], r"nginx/(\S+)"), port, process), place)
