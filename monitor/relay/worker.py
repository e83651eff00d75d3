"""One relay worker put together: its listener, its clock, its drain and its end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from functools import partial
from time import monotonic, time
from typing import Any

from monitor.records.selection import Selection, identifiers
from monitor.relay.counters import Counters
from monitor.relay.dial import Address
from monitor.relay.handshake import SecureDoor
from monitor.relay.http1.answers import read_answer
from monitor.relay.http1.memo import Memo
from monitor.relay.http1.requests import read_request
from monitor.relay.http1.templates import TemplateReader
from monitor.relay.memory import give_back
from monitor.relay.server import ClientConnection
from monitor.relay.settings import RelaySettings
from monitor.relay.sockets import accept_waiting
from monitor.relay.state import State
from monitor.relay.tap import Tap
from monitor.relay.tls import Certificates
from monitor.relay.upstream import Pool

SWEEP_SECONDS = 0.25
DESCRIBE_SECONDS = 1.0
ACKNOWLEDGE_SECONDS = 1.0  # at the end: for the monitor to say what became of the last exchanges
_SPARE_FILES = 32  # beside two for every client: listener, tap, pool, and what Python opens
_BACKLOG = 1024


class Worker:
    """Accepts from a listening socket until told to stop."""

    def __init__(self, settings: RelaySettings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._accepting = True
        self._stopped = asyncio.Event()
        self._parent = os.getppid()
        self._drain: asyncio.Task[None] | None = None
        counters = Counters(settings.worker)
        answers = Memo(read_answer)
        self._certificates = Certificates(settings.tls, settings.upstream_tls)
        address = Address(
            settings.upstream_host, settings.upstream_port, settings.upstream_tls.server_name
        )
        self.state = State(
            settings=settings,
            counters=counters,
            tap=Tap(settings.tap_path, settings.queue_bytes, counters, self.describe),
            pool=Pool(
                address,
                self._certificates.upstream,
                answers,
                settings.timeouts.connect,
                self._certificates.upstream_http2,
            ),
            requests=Memo(
                TemplateReader(
                    partial(
                        read_request,
                        authority=settings.upstream_authority.encode(),
                        unoffered=Selection(settings.paths),
                    )
                )
            ),
            answers=answers,
            make_id=identifiers(),
            max_connections=_affordable_connections(settings.connections),
            now_seconds=monotonic(),
            wall_offset_seconds=time() - monotonic(),
        )

    def describe(self) -> dict[str, Any]:
        """The worker's accounts as of now."""
        return (
            self.state.counters.as_dict(
                queue_bytes=self.state.tap.held_bytes,
                connections=len(self.state.guests),
                accepting=self._accepting,
            )
            | self._certificates.as_dict()
        )

    async def start(self) -> None:
        """Accepts from now on."""
        self._server = await self._listen()
        self.state.tap.start()
        self._sweep()
        self._describe_again()

    async def _listen(self) -> asyncio.Server | SecureDoor:
        """Accepts on a copy of the listening socket: the next worker goes on with it."""
        listener, tls = self._listener.dup(), self._certificates.listener
        if tls is not None:
            return SecureDoor(self.state, listener, lambda: self._certificates.listener or tls)
        return await self._loop.create_server(
            lambda: ClientConnection(self.state), sock=listener, backlog=_BACKLOG
        )

    def renew(self) -> None:
        """Reads the certificate files again: for new connections, if there is no fault in them."""
        if self._drain is None and self._certificates.renew():
            self.state.pool.renew(self._certificates.upstream, self._certificates.upstream_http2)

    def _sweep(self) -> None:
        """The one timer of all connections: a timer for each request would cost more than the
        request.
        """
        state = self.state
        state.now_seconds = now = monotonic()
        state.wall_offset_seconds = time() - now
        for guest in list(state.guests):
            guest.check(now)
            if not self._accepting:
                guest.retire(now)
        state.pool.sweep(now - self._settings.timeouts.upstream_idle + SWEEP_SECONDS)
        if state.tap.subsided():
            give_back()
        if os.getppid() != self._parent:
            self.stop()  # the supervisor is gone, and another one would find the port taken
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _describe_again(self) -> None:
        self.state.tap.describe()
        self._describer = self._loop.call_later(DESCRIBE_SECONDS, self._describe_again)

    def stop(self) -> None:
        """The first call drains, the second ends at once."""
        if self._drain is None:
            self._drain = self._loop.create_task(self._drain_away())
        else:
            self._stopped.set()

    async def _drain_away(self) -> None:
        """Accepts on while others learn of it, then says goodbye in every answer, then waits for
        what is under way.
        """
        drain_seconds = self._settings.timeouts.drain
        await asyncio.sleep(drain_seconds / 2)
        self.state.closing = True
        await asyncio.sleep(drain_seconds / 2)
        self._accepting = False
        self._server.close()
        await self._let_in_the_last()
        while self.state.guests:  # noqa: ASYNC110 - a set has no event, and this is the end
            await asyncio.sleep(0.05)
        await self.state.tap.close(ACKNOWLEDGE_SECONDS)
        self._stopped.set()

    async def _let_in_the_last(self) -> None:
        """Serves those who had connected by now: a closing listener resets who waits at it."""
        waiting = accept_waiting(self._listener)
        self._listener.close()
        for connection in waiting:
            if isinstance(self._server, SecureDoor):
                self._server.receive(connection)
            else:
                await self._loop.connect_accepted_socket(
                    lambda: ClientConnection(self.state), connection
                )

    def obey_signals(self) -> None:
        """SIGTERM and SIGINT stop it from now on; SIGHUP has it read certificates again."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        self._loop.add_signal_handler(signal.SIGHUP, self.renew)

    async def stopped(self) -> None:
        """Serves until then."""
        await self._stopped.wait()

    async def abandon(self) -> None:
        """Ends at once, whatever is under way."""
        self._server.close()
        self._listener.close()
        self._sweeper.cancel()
        self._describer.cancel()
        if self._drain:
            self._drain.cancel()
        for guest in list(self.state.guests):
            guest.abort()
        while self.state.guests:  # noqa: ASYNC110 - a set has no event, and this is the end
            await asyncio.sleep(0)
        await self.state.pool.close()
        await self.state.tap.close(0.0)


def _affordable_connections(wanted: int) -> int:
    """As many clients as the limit on open files lets be served: each may need a connection of
    its own upstream.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (hard - _SPARE_FILES) // 2))
