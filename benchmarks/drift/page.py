"""Tables between two markers of a page that people write the rest of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Row = tuple[str, ...]


def table(header: Row, rows: Sequence[Row]) -> list[str]:
    """The lines of a table in Markdown."""
    rule = ("---",) * len(header)
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def rewrite(page: Path, begin: str, end: str, text: str) -> None:
    """Puts the text between the markers; SystemExit where the page has lost them."""
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{page.name} has lost its markers: {begin} and {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")
