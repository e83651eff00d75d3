"""One POST to one receiver: the address checked, the answer capped in size and time.

Goes only where the configuration says: no redirects, no proxies from the environment. The name is
resolved once an attempt, every address is checked, and the connection goes to a checked one, so no
second look-up can give another (DNS rebinding). TLS and Host still carry the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import certifi
import httpx

from exporters.addresses import Address, AddressPolicy, RefusedError, read_address
from exporters.formats.format import Post

ATTEMPT_SECONDS = 5.0
MAX_ANSWER_BYTES = (
    64 << 10
)  # enough to keep a connection in use; the answer itself says nothing we need
MOST_ADDRESSES = 4  # of one name, tried in turn within the one attempt
USER_AGENT = "sidelight"

_NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
_REFUSED_CONTENT = frozenset({400, 413, 415, 422})

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attempt came to; `status` 0 where no answer came."""

    status: int
    reason: str = ""
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it now."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the receiver is there, and will not have this content."""
        return self.status in _REFUSED_CONTENT


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Every address that the system gives for a name, in its order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [read_address(str(place[0])) for *_, place in found]
    return list(dict.fromkeys(each for each in addresses if each is not None))


class _CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to addresses that the policy has admitted, in the name that was asked for."""

    def __init__(self, policy: AddressPolicy, resolver: Resolve, tls: ssl.SSLContext) -> None:
        self._policy = policy
        self._resolve = resolver
        self._inner = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that can be connected to."""
        url, host = request.url, request.url.raw_host.decode("ascii")
        literal = read_address(host)
        port = url.port or (443 if url.scheme == "https" else 80)
        found = [literal] if literal else await self._resolve(host, port)
        admitted = self._policy.admit(url.scheme, host, found)[:MOST_ADDRESSES]
        seconds = ATTEMPT_SECONDS / len(admitted)
        for address in admitted[:-1]:
            try:
                return await self._inner.handle_async_request(_at(request, address, seconds))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_at(request, admitted[-1], seconds))

    async def __aenter__(self) -> Self:
        """Its connections open as they are needed."""
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close every connection."""
        await self._inner.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


def _at(request: httpx.Request, address: Address, connect_seconds: float) -> httpx.Request:
    """The same request to one address; Host is set already, and TLS asks for the name."""
    limits = {**request.extensions.get("timeout", {}), "connect": connect_seconds}
    name = request.url.raw_host.decode("ascii")
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "timeout": limits, "sni_hostname": name},
    )


@cache
def trusted() -> ssl.SSLContext:
    """Who may vouch for a receiver: the usual authorities, and the system's own.

    The latter are also those of the file that SSL_CERT_FILE names.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class Sender:
    """Sends posts to one receiver, on connections that are kept."""

    def __init__(
        self,
        policy: AddressPolicy,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            transport=_CheckedTransport(policy, resolver, tls or trusted()),
            trust_env=False,
            timeout=ATTEMPT_SECONDS,
            follow_redirects=False,
        )

    async def send(self, post: Post, now: float) -> Answer:
        """What the receiver said; never raises for its sake, and never tells its URL."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._send(post, now)
        except TimeoutError:
            return Answer(0, "timeout")
        except RefusedError as error:
            return Answer(0, f"refused: {error}")
        except _NETWORK_ERRORS as error:
            return Answer(0, type(error).__name__)  # its text may hold the URL

    async def _send(self, post: Post, now: float) -> Answer:
        fields: dict[str, Any] = {"user-agent": USER_AGENT, **post.headers}
        async with self._client.stream(
            "POST", post.url, content=post.payload, headers=fields
        ) as response:
            read = 0
            async for piece in response.aiter_raw():
                read += len(piece)
                if read > MAX_ANSWER_BYTES:
                    break
            asked = retry_after_seconds(response.headers.get("retry-after", ""), now)
            return Answer(response.status_code, f"status {response.status_code}", asked)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()


def retry_after_seconds(value: str, now: float) -> float | None:
    """The wait that a Retry-After field asks for (RFC 9110, 10.2.3); None if unreadable.

    >>> retry_after_seconds("120", 0.0)
    120.0
    >>> retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 0.0)
    60.0
    """
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, OverflowError, TypeError):
        return None
