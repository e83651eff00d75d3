"""HAProxy as the peer: one thread, connections to the origin reused, no log, streams undelayed."""

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

_CONFIG = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 75s
  timeout server 300s
  http-reuse always
  option http-no-delay
frontend model
  bind 127.0.0.1:{port}
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin_port}
"""


def start_proxy(place: Place) -> Subject:
    """The peer."""
    program = place.tools.haproxy
    if program is None:
        raise UnavailableError("HAProxy is not installed")
    port = free_port()
    file = place.directory / "haproxy.cfg"
    file.write_text(_CONFIG.format(port=port, origin_port=place.origin_port))
    process = start("haproxy", [program, "-db", "-f", str(file)], place)
    found = version([program, "-v"], r"version (\d[\d.]*\d)")
    return wait_ready(Subject("haproxy", found, port, process), place)
