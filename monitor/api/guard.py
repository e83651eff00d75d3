"""Who may come in, and what answers carry: Host allow-list, bearer token, security headers."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import orjson
from fastapi import HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BASE_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
# The charts' library makes an empty style element and fills it through CSSOM; the hash is that of
# no text at all, so it lets nothing inline in.
_NOTHING = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
PAGE_POLICY = f"default-src 'self'; style-src 'self' {_NOTHING}; {_BASE_POLICY}"
# Swagger UI carries its icons as data: URLs and sets style attributes; scripts stay ours alone.
DOCS_POLICY = (
    f"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; {_BASE_POLICY}"
)
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": PAGE_POLICY,
}


class Guard:
    """The outermost layer: refuses foreign Hosts where only loopback is listened to, adds headers.

    A page of another origin can make its own name point at 127.0.0.1; its requests then still
    carry that name.
    """

    def __init__(self, app: ASGIApp, *, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI conversation."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(send)
        host = Headers(scope=scope).get("host", "")
        if self._loopback and not is_loopback(host):
            await _refuse(guarded)
            return
        await self._app(scope, receive, guarded)


def is_loopback(host: str) -> bool:
    """Whether a Host field names this machine.

    >>> [is_loopback(h) for h in ("localhost:8001", "127.0.0.1", "[::1]:1", "evil.test", "")]
    [True, True, True, False, False]
    """
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name = host
    elif not port.isascii() or not port.isdigit():
        return False
    if name.lower() == "localhost":
        return True
    bracketed = name.startswith("[") and name.endswith("]")
    try:
        address = ipaddress.ip_address(name[1:-1] if bracketed else name)
    except ValueError:
        return False
    return address.is_loopback and bracketed == (address.version == 6)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return guarded


async def _refuse(send: Callable[[Message], Awaitable[None]]) -> None:
    body = orjson.dumps({"error": "this host name is not served here"})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_bearer = HTTPBearer(
    auto_error=False, description="`control_auth.token` or one of `control_auth.tokens`"
)
UNNAMED = "token"  # the name of `control_auth.token`; its holders may name any source


class Authorize:
    """Lets writes through with a token, or without one where none is set."""

    def __init__(self, token: str | None, tokens: Mapping[str, str] | None = None) -> None:
        named = dict(tokens or {})
        if token is not None:
            named[UNNAMED] = token
        self._tokens = {name: secret.encode() for name, secret in named.items()}

    @property
    def guards(self) -> bool:
        """Whether writes need a token."""
        return bool(self._tokens)

    def __call__(
        self,
        request: Request,
        _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> None:
        """401 without a right token; `request.state.token` is then the name of the right one.

        Each token is compared, and each comparison takes as long for any token of its length.
        """
        request.state.token = ""
        if not self._tokens:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        offered = given.strip().encode("latin-1")
        known = [
            name for name, secret in self._tokens.items() if hmac.compare_digest(offered, secret)
        ]
        if scheme.lower() != "bearer" or not known:
            raise HTTPException(
                401, "a bearer token is required", headers={"www-authenticate": "Bearer"}
            )
        request.state.token = known[0]
