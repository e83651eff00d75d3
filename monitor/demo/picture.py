"""The tables of a run as a picture, in SVG; knows only the outcome.

`python -m monitor.demo docs/pictures/demo.svg` draws the README's.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from monitor.demo.report import WIDTH, Outcome, show

_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


def draw(outcome: Outcome, path: Path) -> None:
    """Write the picture; its text is in the reader's own fixed-width font: nothing is fetched."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    show(outcome, console)
    exported = console.export_svg(title="sidelight demo", unique_id="demo")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_FONT_FACE.sub("", exported).replace("Fira Code", "ui-monospace"), "utf-8")
