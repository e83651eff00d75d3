"""One exchange on its way through a decoder: path, media type, bodies; each read when first asked.

Knows HTTP's field lines and JSON; knows no wire format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from monitor.codec.compression import decompress
from monitor.codec.document import parse, text
from monitor.errors import CodecError
from monitor.records.exchange import Exchange

_NEWLINE = 0x0A
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)')


class _Once:
    """`functools.cached_property` without the lock that it has before Python 3.12."""

    def __init__(self, compute: Callable[[Message], Any]) -> None:
        self._compute = compute
        self._name = compute.__name__

    def __get__(self, message: Message, owner: type[Message]) -> Any:  # noqa: ANN401
        value = message.__dict__[self._name] = self._compute(message)
        return value


class Message:
    """A request and its answer, for the formats to look at."""

    def __init__(self, exchange: Exchange, max_bytes: int) -> None:
        self.exchange = exchange
        self.path = exchange.target.partition("?")[0]
        self._request_fields = exchange.request_fields.lower()
        self._max_bytes = max_bytes
        self._errors: dict[str, CodecError] = {}
        self.media_type = _media_type(values(self._request_fields, b"content-type"))

    @_Once
    def request(self) -> Any:  # noqa: ANN401 - any JSON value
        """The request's JSON document; CodecError where it is none."""
        return self._document("request", self.exchange.request_body, self._request_fields)

    @_Once
    def answer(self) -> Any:  # noqa: ANN401 - any JSON value
        """The answer's JSON document; CodecError where it is none."""
        exchange = self.exchange
        return self._document("answer", exchange.response_body, exchange.response_fields.lower())

    @_Once
    def request_text(self) -> str:
        """The request's body as text, by its charset."""
        fields = self._request_fields
        body = _decoded(fields, self.exchange.request_body, self._max_bytes)
        return text(body, charset_of(fields))

    def _document(self, side: str, body: bytes, fields: bytes) -> Any:  # noqa: ANN401
        """Parsed, or the same error at each asking: no format decodes a bad body again."""
        if side in self._errors:
            raise self._errors[side]
        try:
            body = _decoded(fields, body, self._max_bytes)
            # A charset cannot change what ASCII bytes mean, so its field is looked for only beyond
            # them.
            return parse(body, "" if body.isascii() else charset_of(fields))
        except CodecError as error:
            self._errors[side] = CodecError(error.reason, f"{side}: {error.detail}")
            raise self._errors[side] from None


@lru_cache(maxsize=256)
def _media_type(content_type: bytes) -> str:
    return content_type.partition(b";")[0].strip().decode("latin-1")


def charset_of(lowered_fields: bytes) -> str:
    """The charset that is said; "" for UTF-8, which is read fastest when nothing is said."""
    found = _CHARSET.search(values(lowered_fields, b"content-type").decode("latin-1"))
    charset = found.group(1) if found else ""
    return "" if charset in ("utf-8", "utf8") else charset


def values(lowered_fields: bytes, name: bytes) -> bytes:
    """All values of a field, joined by commas as RFC 9110 section 5.3 allows; b"" without it.

    Fields and name are in lower case: what is looked up here means the same in any.

    >>> values(b"vary: a\\r\\nhost: x\\r\\nvary: b\\r\\n", b"vary")
    b'a, b'
    """
    sought = name + b":"
    at = lowered_fields.find(sought)
    if at < 0:
        return b""
    found: list[bytes] = []
    while at >= 0:
        end = lowered_fields.find(b"\n", at)
        end = end if end >= 0 else len(lowered_fields)
        if at == 0 or lowered_fields[at - 1] == _NEWLINE:
            found.append(lowered_fields[at + len(sought) : end].strip())
        at = lowered_fields.find(sought, end)
    return found[0] if len(found) == 1 else b", ".join(found)


def _decoded(lowered_fields: bytes, body: bytes, max_bytes: int) -> bytes:
    coding = values(lowered_fields, b"content-encoding")
    if coding:
        return decompress(body, coding, max_bytes)
    if len(body) > max_bytes:
        raise CodecError("too_large", f"{len(body)} bytes, at most {max_bytes}")
    return body
