"""Accepts in TLS: a connection counts as a guest from the start, not from its handshake on.

Who says nothing is let go after the time that a request's head may take. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from monitor.relay.server import ClientConnection
from monitor.relay.state import State

GOODBYE_SECONDS = 2.0  # for a client to say goodbye in TLS too
RETIRE_SECONDS = 1.0  # of patience once nothing is accepted any more
PAUSE_SECONDS = 0.2  # where nothing can be accepted: no file descriptor left, for one


class Handshake:
    """One connection that has not agreed on TLS yet."""

    def __init__(self, state: State, connection: socket.socket, tls: ssl.SSLContext) -> None:
        self._state = state
        self._began_at_seconds = state.now_seconds
        self._task = asyncio.get_running_loop().create_task(self._agree(connection, tls))

    async def _agree(self, connection: socket.socket, tls: ssl.SSLContext) -> None:
        """Makes it a client's, who takes its place; or closes it."""
        state = self._state

        def agreed() -> ClientConnection:
            return ClientConnection(state)

        try:
            with contextlib.suppress(OSError):  # ssl.SSLError and every way to leave are among them
                await asyncio.get_running_loop().connect_accepted_socket(
                    agreed, connection, ssl=tls,
                    ssl_handshake_timeout=state.settings.timeouts.header,
                    ssl_shutdown_timeout=GOODBYE_SECONDS,
                )  # fmt: skip
        finally:
            state.guests.discard(self)

    def check(self, now_seconds: float) -> None:
        """The handshake has an end of its own."""

    def retire(self, now_seconds: float) -> None:
        """Closes what has taken its time."""
        if now_seconds - self._began_at_seconds > RETIRE_SECONDS:
            self.abort()

    def abort(self) -> None:
        """Closes at once."""
        self._task.cancel()


class SecureDoor:
    """Accepts from a listening socket, which it owns, until closed."""

    def __init__(
        self, state: State, listener: socket.socket, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        """`tls` gives the context as of now: certificates change while this runs."""
        self._state = state
        self._listener = listener
        self._tls = tls
        self._task = asyncio.get_running_loop().create_task(self._accept())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.receive(connection)

    def receive(self, connection: socket.socket) -> None:
        """One more, or one too many: without TLS there is no way to say so."""
        state = self._state
        if len(state.guests) >= state.most_guests:
            state.counters.refuse(503)
            connection.close()
        else:
            state.guests.add(Handshake(state, connection, self._tls()))

    def close(self) -> None:
        """Accepts no more."""
        self._task.cancel()
        self._listener.close()
