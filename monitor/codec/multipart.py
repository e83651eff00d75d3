"""Forms in parts (`multipart/form-data`) as the JSON object that they are; files that are no JSON
are left out, as pictures are.

Knows RFC 7578 as far as clients write it: no preamble, and no part within a part.
"""

from __future__ import annotations

import re
from typing import Any

from monitor.codec.cells import cell
from monitor.codec.document import parse, text
from monitor.errors import CodecError

MAX_PARTS = 1_000

_BOUNDARY = re.compile(rb"--([!-~][ -~]{0,69}?)[ \t]*\r\n")
_NAME = re.compile(rb'[;\s]name="((?:[^"\\\r\n]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)
_WHOLE = frozenset(
    {"json", "data", "body", "file", "input"}
)  # names of a part that is all there is


def document(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The parts by name; the lone part's own document where that is all; CodecError `not_json`.

    >>> document(b'--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1.5\\r\\n--x--')
    {'a': 1.5}
    """
    found: dict[str, Any] = {}
    parts = _parts(body)
    for head, content in parts:
        name = _NAME.search(head)
        if name is None:
            raise CodecError("not_json", "a part without a name")
        value = _value(content, is_file=_FILE.search(head) is not None)
        if value is not None:
            found[text(name[1])] = value[0]
    if not found:
        raise CodecError("not_json", f"{len(parts)} parts, none of them a value")
    lone_name, lone = next(iter(found.items()))
    is_whole = len(found) == 1 and lone_name in _WHOLE and type(lone) in (dict, list)
    return lone if is_whole else found


def _parts(body: bytes) -> list[tuple[bytes, bytes]]:
    """Each part's field lines and content."""
    boundary = _BOUNDARY.match(body)
    if boundary is None:
        raise CodecError("not_json", "a form that does not begin with its boundary")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary[1], MAX_PARTS + 1)
    if len(pieces) > MAX_PARTS + 1:
        raise CodecError("too_many_features", f"more than {MAX_PARTS} parts")
    if not pieces[-1].startswith(b"--"):
        raise CodecError("not_json", "a form without its end")
    split = [piece.partition(b"\r\n\r\n") for piece in pieces[1:-1]]
    return [(head, content) for head, _, content in split]


def _value(content: bytes, *, is_file: bool) -> tuple[Any] | None:
    """JSON where it is an object or a list, else a cell of text; None of another file."""
    if is_file or content[:1] in (b"{", b"["):
        try:
            return (parse(content),)
        except CodecError:
            if is_file:
                return None
    return (cell(text(content)),)
