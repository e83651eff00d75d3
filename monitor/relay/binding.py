"""Binds a client's transport and an upstream's into a tunnel: after 101, and for HTTP/2 from its
preface on.
"""

from __future__ import annotations

import asyncio

from monitor.relay.dial import Opening
from monitor.relay.eavesdrop import Eavesdropper
from monitor.relay.state import State
from monitor.relay.tunnel import Listener, Tunnel


def bind(
    state: State,
    client: asyncio.Transport,
    upstream: asyncio.Transport,
    read: tuple[bytes, bytes],
    listener: Listener | None = None,
) -> None:
    """Makes a tunnel of two transports; `read` is what has been read of each already."""
    tunnel = Tunnel(client, upstream, state.settings.timeouts.stream_idle, state.guests.discard)
    state.guests.add(tunnel)
    if listener is not None:
        tunnel.overheard_by(listener)
    tunnel.start(*read)


def dial_http2(state: State, client: asyncio.Transport, opening: bytes) -> None:
    """Passes an HTTP/2 connection to the upstream as it is; without one, nothing can be said in
    HTTP/1.
    """
    client.pause_reading()

    def connected(upstream: Opening | None) -> None:
        if upstream is None:
            client.abort()
        elif client.is_closing():
            upstream.transport.abort()
        else:
            read = opening, bytes(upstream.early)
            bind(state, client, upstream.transport, read, Eavesdropper(state))

    state.pool.dial(connected)
