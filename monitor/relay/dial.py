"""Makes a connection to the upstream: two attempts, each with its end, in TLS where asked for.

Every way to fail becomes one `Failure`. Knows nothing of pools or HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

from monitor.relay import sockets


class Securable(asyncio.BaseProtocol):
    """A protocol that can go on in TLS."""

    __slots__ = ()

    def secured(self, transport: asyncio.Transport) -> None:
        """The handshake is done: from here on this is the transport to use."""


class Opening(asyncio.Protocol, Securable):
    """A connection until its tunnel begins; servers of HTTP/2 may well speak first."""

    __slots__ = ("early", "transport")

    def __init__(self) -> None:
        self.early = bytearray()
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer that vanishes without a word is found out after a minute."""
        self.transport = cast("asyncio.Transport", transport)
        sockets.keep_alive(transport)

    def secured(self, transport: asyncio.Transport) -> None:
        """In TLS from here on."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Kept for the tunnel, which begins within this turn of the loop or the next."""
        self.early += data
        if len(self.early) > MOST_EARLY_BYTES:
            self.transport.pause_reading()  # the tunnel reads on


ProtocolT = TypeVar("ProtocolT", bound=Securable)

ATTEMPTS = 2
GOODBYE_SECONDS = 2.0  # for the upstream to say goodbye in TLS too
MOST_EARLY_BYTES = 64 << 10
RETRY_SECONDS = 0.1  # a listener that restarts is back by then more often than not


class Failure(NamedTuple):
    """Why there is no connection: the error's code as a client is told it, and its detail."""

    code: str
    detail: str


class Address(NamedTuple):
    """Where the upstream is, and the name that its certificate must bear."""

    host: str
    port: int
    server_name: str


async def dial(
    address: Address,
    tls: ssl.SSLContext | None,
    attempt_seconds: float,
    protocol: Callable[[], ProtocolT],
) -> ProtocolT | Failure:
    """A connection, or why there is none; `tls` is None for a plain one."""
    failure = Failure("upstream_connect", "")
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(RETRY_SECONDS)
        try:
            async with asyncio.timeout(attempt_seconds):
                return await _connect(address, tls, protocol)
        except TimeoutError:
            failure = Failure("upstream_timeout", "timed out")
        except ssl.SSLError as error:
            return Failure("upstream_tls", _tls_fault(error))  # the same in a moment
        except OSError as error:
            failure = Failure("upstream_connect", error.strerror or str(error))
    return failure


async def _connect(
    address: Address, tls: ssl.SSLContext | None, protocol: Callable[[], ProtocolT]
) -> ProtocolT:
    loop = asyncio.get_running_loop()
    plain, made = await loop.create_connection(protocol, address.host, address.port)
    if tls is None:
        return made
    if plain.is_closing():
        raise ConnectionResetError("it spoke before it was spoken to")
    try:
        secured = await loop.start_tls(
            plain, made, tls, server_hostname=address.server_name or address.host,
            ssl_shutdown_timeout=GOODBYE_SECONDS,
        )  # fmt: skip
    except BaseException:
        plain.abort()
        raise
    if secured is None:  # the connection ended meanwhile
        raise ConnectionResetError("it closed during the handshake")
    made.secured(secured)
    return made


def _tls_fault(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return f"TLS failed: {(error.reason or str(error)).lower().replace('_', ' ')}"
