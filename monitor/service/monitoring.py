"""The monitor process: puts observer, engine, store, exporters and API together and runs them.

Started by the supervisor with one JSON document on standard input. It may die at any time: traffic
does not notice, acknowledged labels are on disk, and what it had not acknowledged to the relays
they count as lost.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from typing import Any

import structlog
import uvloop

from monitor.relay.memory import give_back
from monitor.service import logs
from monitor.service.control import serve
from monitor.service.priority import give_way
from monitor.service.reload import ConfigFile
from monitor.service.runtime import Runtime

log = structlog.get_logger()

GIVE_BACK_SECONDS = 15.0
DELIVERY_SECONDS = 2.0  # for alerts still to be sent at the end; the rest is sent after the restart


class Monitoring:
    """Everything that runs in the monitor process."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._file = ConfigFile.from_document(document)
        self._runtime = Runtime(self._file.config)
        self._runtime.reloads = self._file.reloads
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
        tap = await loop.create_unix_server(
            runtime.observer.connection, sock=socket.socket(fileno=self._document["tap_fd"])
        )
        listener = socket.socket(fileno=self._document["control_fd"])
        control = serve(runtime.house, listener, self._stop)
        watch = self._file.watch(self._reload)
        endless = (control, watch, _give_back_memory(), *runtime.work())
        background = [asyncio.create_task(work) for work in endless]
        for task in background:
            task.add_done_callback(self._ended)
        give_way()  # not before: while it starts, traffic is not observed
        log.info("monitoring", **runtime.described())
        await self._stop.wait()
        tap.close()
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
        """Take the file's rules; an invalid file keeps the old ones."""
        config = self._file.reload()
        if config is not None:
            self._runtime.reconfigure(config)
        self._runtime.reloads = self._file.reloads


async def _give_back_memory() -> None:
    """What a burst or a reference took to be worked off is not kept for the next one."""
    while True:
        await asyncio.sleep(GIVE_BACK_SECONDS)
        give_back()


def main() -> None:
    """Run the monitor as the document on standard input says."""
    logs.configure("monitor")
    document = json.load(sys.stdin)

    async def run() -> None:
        await Monitoring(document).run()

    uvloop.run(run())


if __name__ == "__main__":
    main()
