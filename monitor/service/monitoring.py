"""The monitor process: puts observer, engine, store, exporters and API together and runs them.

Started by the supervisor with one JSON document on standard input. It may die at any time: traffic
does not notice, acknowledged labels are on disk, and what it had not acknowledged to the relays
they count as lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop

from monitor.api.app import create_app
from monitor.config import Config, load
from monitor.errors import ConfigError
from monitor.service import logs
from monitor.service.runtime import Runtime

log = structlog.get_logger()

DELIVERY_SECONDS = 2.0  # for alerts still to be sent at the end; the rest is sent after the restart


class ControlServer(uvicorn.Server):
    """Uvicorn without its signal handlers: this process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class Monitoring:
    """Everything that runs in the monitor process."""

    def __init__(self, config: Config, document: dict[str, Any]) -> None:
        self._document = document
        self._runtime = Runtime(config)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until SIGTERM, then write down what has arrived."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor decides
        runtime = self._runtime
        await runtime.start()
        loop.add_signal_handler(signal.SIGUSR1, runtime.drain)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        control = ControlServer(
            uvicorn.Config(
                create_app(runtime.house),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        tap = await loop.create_unix_server(
            runtime.observer.connection, sock=socket.socket(fileno=self._document["tap_fd"])
        )
        listener = socket.socket(fileno=self._document["control_fd"])
        background = [
            asyncio.create_task(work)
            for work in (control.serve(sockets=[listener]), *runtime.work())
        ]
        for task in background:
            task.add_done_callback(self._ended)
        log.info("monitoring", **runtime.described())
        await self._stop.wait()
        tap.close()
        control.should_exit = True
        await runtime.stop(DELIVERY_SECONDS)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Background work never ends by itself: if it does, a fresh process is better."""
        if self._stop.is_set() or task.cancelled():
            return
        log.warning("background work ended", error=repr(task.exception()))
        self._stop.set()

    def _reload(self) -> None:
        """Take the file's monitoring settings; an invalid file keeps the old ones."""
        try:
            config = _load(self._document)
        except ConfigError as error:
            log.warning("configuration not reloaded", error=str(error))
            return
        self._runtime.reconfigure(config)
        log.info("configuration reloaded")


def _load(document: dict[str, Any]) -> Config:
    path = document["config_path"]
    return load(Path(path) if path else None, document["flags"])


def configuration(document: dict[str, Any]) -> Config:
    """The file as it is now; the settings of the start where it has become invalid since."""
    try:
        return _load(document)
    except ConfigError as error:
        log.warning("configuration has become invalid: using that of the start", error=str(error))
        return Config.model_validate(document["config"])


def main() -> None:
    """Run the monitor as the document on standard input says."""
    logs.configure("monitor")
    document = json.load(sys.stdin)
    config = configuration(document)

    async def run() -> None:
        await Monitoring(config, document).run()

    uvloop.run(run())


if __name__ == "__main__":
    main()
