"""The control API on its listener, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from monitor.api.app import create_app
from monitor.service.house import ControlledHouse


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: this process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(house: ControlledHouse, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer until told to stop."""
    server = _Server(
        uvicorn.Config(
            create_app(house),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
