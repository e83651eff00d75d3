"""What asyncio's transports do not tell about the sockets under them; Linux's own answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

_TCP_CLOSE = 7  # a state of TCP_INFO: the peer has reset the connection
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def is_reset(transport: asyncio.Transport) -> bool:
    """Whether the peer has reset a connection that nobody reads from now."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is None or connection.family == socket.AF_UNIX:
        return False
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSE
    except OSError:
        return True


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Has the kernel find out within a minute that a silent peer has vanished."""
    connection: socket.socket = transport.get_extra_info("socket")
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def reset(transport: asyncio.Transport) -> None:
    """Closes so that the peer sees a fault, not an end."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def accept_waiting(listener: socket.socket) -> list[socket.socket]:
    """Everyone who has connected to a listener and waits there, for non-blocking use."""
    waiting: list[socket.socket] = []
    listener.setblocking(False)
    with contextlib.suppress(OSError):  # nobody is left, or no file descriptor is
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            waiting.append(connection)
    return waiting
