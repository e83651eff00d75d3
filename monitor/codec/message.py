"""One exchange on its way through a decoder: path, media type, bodies; each read when first asked.

Knows HTTP's field lines and its common bodies; knows no wire format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from monitor.codec.bodies import answer_document, binary_document, request_document
from monitor.codec.compression import decompress
from monitor.codec.document import parse, text
from monitor.errors import CodecError
from monitor.records.exchange import Exchange

T = TypeVar("T")

_NEWLINE = 0x0A
_JSON = "application/json"  # what has no other reading
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
        self.request_fields = exchange.request_fields.lower()  # as all that is looked up in them
        self._max_bytes = max_bytes
        self._errors: dict[str, CodecError] = {}
        self._kept: dict[str, Any] = {}
        self.media_type = _media_type(values(self.request_fields, b"content-type"))

    @_Once
    def request(self) -> Any:  # noqa: ANN401 - any JSON value
        """The request's JSON document, or its lines or form as one; CodecError where it is none."""
        body = self.exchange.request_body
        return self._document("request", body, self.request_fields, request_document)

    @_Once
    def answer(self) -> Any:  # noqa: ANN401 - any JSON value
        """The answer's JSON document, or its lines or events as one; CodecError where it is
        none.
        """
        body = self.exchange.response_body
        return self._document("answer", body, self.answer_fields, answer_document)

    @_Once
    def request_text(self) -> str:
        """The request's body as text, by its charset."""
        return text(self.request_body, charset_of(self.request_fields))

    @_Once
    def answer_text(self) -> str:
        """The answer's body as text, by its charset."""
        return text(self.answer_body, charset_of(self.answer_fields))

    @_Once
    def request_body(self) -> bytes:
        """The request's bytes without their codings."""
        return _decoded(self.request_fields, self.exchange.request_body, self._max_bytes)

    @_Once
    def answer_body(self) -> bytes:
        """The answer's bytes without their codings."""
        return _decoded(self.answer_fields, self.exchange.response_body, self._max_bytes)

    @_Once
    def answer_fields(self) -> bytes:
        """The answer's field lines in lower case."""
        return self.exchange.response_fields.lower()

    @_Once
    def answer_type(self) -> str:
        """The answer's media type; "" where none is said."""
        return _media_type(self.answer_value(b"content-type"))

    def request_value(self, name: bytes) -> bytes:
        """A request field's value in lower case, or b"" without it."""
        return values(self.request_fields, name)

    def answer_value(self, name: bytes) -> bytes:
        """An answer field's value in lower case, or b"" without it."""
        return values(self.answer_fields, name)

    def kept(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gave when `key` was first asked for: formats read no body twice."""
        if key not in self._kept:
            self._kept[key] = make()
        found: T = self._kept[key]
        return found

    def _document(
        self, side: str, body: bytes, fields: bytes, otherwise: Callable[[str, str], Any]
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Parsed, or the same error at each asking: no format decodes a bad body again."""
        if side in self._errors:
            raise self._errors[side]
        try:
            body = _decoded(fields, body, self._max_bytes)
            # A charset cannot change what ASCII bytes mean, so its field is looked for only beyond
            # them.
            charset = "" if body.isascii() else charset_of(fields)
            try:
                return parse(body, charset)
            except CodecError as error:
                # What is said to be JSON is first of all JSON, whatever else it is said to be.
                media_type = _media_type(values(fields, b"content-type"))
                found = binary_document(side, media_type, body)
                if found is not None:
                    return found
                if error.reason != "not_json" or media_type == _JSON:
                    raise
                return otherwise(media_type, text(body, charset))
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
