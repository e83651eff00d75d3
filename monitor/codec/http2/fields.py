"""Header blocks read back into field lines, on connections that were not heard from the start too.

HPACK (RFC 7541) numbers its table from the newest entry on. So whoever joins late reads right what
was added since, and knows of the rest only that it is missing: such a name or value reads as "".
"""

from __future__ import annotations

from dataclasses import dataclass

import hpack
from hpack.exceptions import HPACKError, InvalidTableIndexError
from hpack.table import HeaderTable

from monitor.records.exchange import field

MAX_BLOCK_BYTES = 64 << 10
MAX_TABLE_BYTES = 64 << 10  # a peer may allow more; what is then written cannot be read


@dataclass(frozen=True, slots=True)
class Fields:
    """One header block: pseudo-fields by name, and the others as lines, as in HTTP/1.1."""

    pseudo: dict[bytes, bytes]
    lines: bytes

    def first(self, name: bytes) -> bytes:
        """The first value of a field, or b""; names in HTTP/2 are in lower case."""
        return field(self.lines, name)


class _LateTable(HeaderTable):
    """A table that lacks what was added before it listened."""

    def get_by_index(self, index: int) -> tuple[bytes, bytes]:
        try:
            found: tuple[bytes, bytes] = super().get_by_index(index)
        except InvalidTableIndexError:
            return b"", b""
        return found


class FieldReader:
    """Reads the header blocks of one direction, in order."""

    def __init__(self, *, fresh: bool) -> None:
        self._decoder = hpack.Decoder(max_header_list_size=2 * MAX_BLOCK_BYTES)
        self._decoder.max_allowed_table_size = MAX_TABLE_BYTES
        if not fresh:
            self._decoder.header_table = _LateTable()
        self._lost = False

    def read(self, block: bytes) -> Fields | None:
        """The fields of a block; None where it cannot be read, and from then on."""
        if self._lost:
            return None
        try:
            fields = self._decoder.decode(block, raw=True)
        except (HPACKError, ValueError, IndexError):
            self._lost = True  # what the block would have added to the table is missing
            return None
        pseudo: dict[bytes, bytes] = {}
        lines: list[bytes] = []
        for name, value in fields:
            if name.startswith(b":"):
                pseudo.setdefault(bytes(name), bytes(value))
            elif name and not (b"\n" in value or b"\r" in value):
                lines.append(b"%b: %b\r\n" % (name, value))
        return Fields(pseudo, b"".join(lines))
