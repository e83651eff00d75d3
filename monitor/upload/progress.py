"""How far an upload has come, in a small file beside the labels: an ended one goes on from there.

Labels that are sent twice change nothing, so a row too few is no harm.
"""

from __future__ import annotations

import json
from pathlib import Path

SUFFIX = ".sidelight-progress"


class Progress:
    """Rows of a file that were acknowledged by one address; the file must not have changed."""

    def __init__(self, path: Path, url: str, source: str | None) -> None:
        found = path.stat()
        self._of = {
            "size": found.st_size,
            "modified": found.st_mtime_ns,
            "url": url,
            "source": source,
        }
        self._file = path.with_name(path.name + SUFFIX)
        self._is_kept = True
        self.rows = self._read()

    def advance(self, rows: int) -> None:
        """So many more rows are acknowledged."""
        self.rows += rows
        if not self._is_kept:
            return
        try:
            beside = self._file.with_name(self._file.name + ".new")
            beside.write_text(json.dumps({**self._of, "rows": self.rows}), "utf-8")
            beside.replace(self._file)
        except OSError:
            self._is_kept = False  # a directory that is read only: the upload itself goes on

    def forget(self) -> None:
        """Begin anew, or be done."""
        self.rows = 0
        self._file.unlink(missing_ok=True)

    def _read(self) -> int:
        try:
            found = json.loads(self._file.read_text("utf-8"))
            rows = found.pop("rows")
        except (OSError, ValueError, KeyError, AttributeError):
            return 0
        return rows if found == self._of and isinstance(rows, int) and rows >= 0 else 0
