"""JSON bytes to Python values under one policy for everything that JSON leaves open; knows no wire
format.

Policy: the last of duplicate keys wins; `NaN`, `Infinity` and numbers beyond a double become
non-finite floats, which mean missing; integers beyond 64 bits become floats; lone surrogates become
U+FFFD, because they could never be encoded again. orjson reads what is ordinary, the standard
library what orjson refuses.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import orjson

from monitor.errors import CodecError

_CHARSET_NAMES = """
    ascii big5 cp1250 cp1251 cp1252 cp1253 cp1254 euc-jp euc-kr gb18030 gbk iso8859-1 iso8859-2
    iso8859-15 koi8-r shift_jis utf-8 utf-8-sig utf-16 utf-16-be utf-16-le utf-32 utf-32-be
    utf-32-le
"""
# An allow-list: Python also has codecs that are no charsets, and some (idna, punycode) take
# quadratic time.
_CHARSETS = frozenset(codecs.lookup(name).name for name in _CHARSET_NAMES.split())
_INT64_DIGITS = 19
_ESCAPES = re.compile(
    r"\\\\"  # an escaped backslash, so that `\\ud800` is not taken for an escape
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a proper pair
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def parse(body: bytes, charset: str = "") -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON document; CodecError `not_json`, `too_deep` or `bad_charset`.

    >>> parse(b'{"a": 1, "a": [NaN, 2]}')
    {'a': [nan, 2]}
    """
    if not body:
        raise CodecError("empty_body", "no bytes")
    try:
        return orjson.loads(text(body, charset) if charset else body)
    except orjson.JSONDecodeError:
        return _parse_leniently(text(body, charset))


def text(body: bytes, charset: str = "") -> str:
    """The body as text: by its charset, else by its byte order mark or zero bytes, else UTF-8."""
    try:
        name = codecs.lookup(charset).name if charset else json.detect_encoding(body)
        if name not in _CHARSETS:
            raise CodecError("bad_charset", charset[:32])
        return body.decode(name)
    except (LookupError, ValueError) as error:
        raise CodecError("bad_charset", str(error)[:100]) from None


def _parse_leniently(document: str) -> Any:  # noqa: ANN401 - any JSON value
    document = _ESCAPES.sub(_without_lone_surrogate, document.removeprefix("\ufeff"))
    try:
        return json.loads(document, parse_int=_integer)
    except RecursionError:
        raise CodecError("too_deep", "JSON nested too deeply") from None
    except ValueError as error:
        raise CodecError("not_json", str(error)[:100]) from None


def _without_lone_surrogate(found: re.Match[str]) -> str:
    escape = found.group()
    return "\\ufffd" if len(escape) == 6 else escape


def _integer(digits: str) -> float:
    """As orjson does: exact within 64 bits, else a float; so no length of digits can raise."""
    if len(digits) < _INT64_DIGITS:
        return int(digits)
    if len(digits) > _INT64_DIGITS + 1:
        return float(digits)
    value = int(digits)
    return value if -(1 << 63) <= value < 1 << 64 else float(value)
