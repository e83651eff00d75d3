"""The two Python peers, each a script of its own that runs in the peers' environment."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.proxies.subject import (
    Place,
    Subject,
    UnavailableError,
    free_port,
    start,
    version,
    wait_ready,
)

_HERE = Path(__file__).resolve().parent


def _start(place: Place, name: str, script: str, versions: str) -> Subject:
    program = place.tools.python
    if program is None:
        raise UnavailableError("the peers' Python environment is missing")
    port = free_port()
    command = [program, str(_HERE / script), str(port), str(place.origin_port)]
    process = start(name, command, place)
    return wait_ready(
        Subject(name, version([program, "-c", versions], r"(\S.*)"), port, process), place
    )


start_fastapi = partial(
    _start,
    name="fastapi+httpx",
    script="fastapi_app.py",
    versions="import fastapi, httpx; print(fastapi.__version__, '+', httpx.__version__)",
)
start_aiohttp = partial(
    _start,
    name="aiohttp",
    script="aiohttp_app.py",
    versions="import aiohttp; print(aiohttp.__version__)",
)
