"""A Parquet file's footer, read by itself: what a file asks for is known before any page is opened.

The footer is a Thrift struct in the compact protocol; only what the checks need is kept. pyarrow's
own accessors end the process on some damaged footers, and so are never asked.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from monitor.errors import CodecError

MAX_DEPTH = 12
MAX_ITEMS = 100_000
BOUNDED_CODECS = frozenset({0, 1})  # none, and Snappy, which gives at most 22 times its bytes

_MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = frozenset({4, 5, 6})


class Footer(NamedTuple):
    """What a file says of itself."""

    rows: int
    columns: tuple[str, ...]  # paths of the leaves
    codecs: frozenset[int]


def read_footer(body: bytes) -> Footer:
    """The footer at the end of a file; CodecError `not_parquet`."""
    try:
        return _footer(_Reader(_bytes_of(body)).struct(0))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise CodecError("not_parquet", f"footer: {error}"[:100]) from None


def _bytes_of(body: bytes) -> bytes:
    if body[:4] != _MAGIC or body[-4:] != _MAGIC:
        raise ValueError("no magic number")
    (length,) = struct.unpack("<I", body[-8:-4])
    if not 0 < length <= len(body) - 12:
        raise ValueError("it is longer than its file")
    return body[-8 - length : -8]


def _footer(tree: Mapping[int, Any]) -> Footer:
    """Fields by number: FileMetaData 3, 4; RowGroup 1, 3; ColumnChunk 1, 3; ColumnMetaData 3, 4."""
    columns: dict[str, None] = {}
    codecs: set[int] = set()
    rows = 0
    for group in tree.get(4, ()):
        rows += int(group[3])
        for chunk in group[1]:
            if 1 in chunk:
                raise ValueError("a column in another file")
            path = b".".join(chunk[3][3]).decode()
            columns[path] = None
            codecs.add(int(chunk[3][4]))
    if rows != tree[3] or rows < 0:
        raise ValueError("row groups that do not add up")
    return Footer(rows, tuple(columns), frozenset(codecs))


class _Reader:
    """Thrift's compact protocol: structs as {field number: value}."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._items = 0

    def struct(self, depth: int) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self._integer()
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 - any Thrift value
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise ValueError("too much in one footer")
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"a value of kind {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4 if head >> 4 != 15 else self._varint()
        if size > MAX_ITEMS:
            raise ValueError("too much in one footer")
        return [self._value(head & 0x0F, depth + 1) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise ValueError("ends before its last field")
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without end")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
