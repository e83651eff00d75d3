"""Envoy as the peer: one worker thread, its defaults otherwise, no access log and no admin port."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.proxies.subject import (
    Place,
    Subject,
    UnavailableError,
    free_port,
    start,
    version,
    wait_ready,
)

_TYPES = "type.googleapis.com/envoy.extensions.filters"


def start_proxy(place: Place) -> Subject:
    """The peer."""
    program = place.tools.envoy
    if program is None:
        raise UnavailableError("Envoy is not installed in the peers' environment")
    port = free_port()
    file = place.directory / "envoy.json"
    file.write_text(json.dumps(_config(port, place.origin_port), indent=1))
    command = [
        program, "-c", str(file), "--concurrency", "1",
        "--disable-hot-restart", "--log-level", "error",
    ]  # fmt: skip
    process = start("envoy", command, place)
    found = version([program, "--version"], r"/(\d+\.\d+\.\d+)/")
    return wait_ready(Subject("envoy", found, port, process), place)


def _config(port: int, origin_port: int) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "model",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"},
            }
        ],
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    listener = {"name": "model", "address": _address(port), "filter_chains": [chain]}
    endpoint = {"endpoint": {"address": _address(origin_port)}}
    cluster = {
        "name": "origin",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
