"""Pages that people read offline: one file each, with all that it needs.

Whatever comes from the data is text, in the markup (escaped), in the script's data (no `<`), and in
the pictures. A content security policy allows the page's own two scripts, by their hashes, and no
network.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from monitor.comparison.shapes import bars
from monitor.comparison.terminal import headline, notes, why
from monitor.comparison.verdict import Comparison
from monitor.errors import SidelightError
from monitor.snapshot import Reading, Status

MOST_PICTURES = 400


def write(found: Comparison, path: Path) -> None:
    """Writes the page of a comparison."""
    write_text(comparison_page(found), path)


def comparison_page(found: Comparison) -> str:
    """The page of a comparison: the answer, a table, and a picture for each column."""
    index = found.standard.layout.index
    shown = found.readings[:MOST_PICTURES]
    pictures = [_picture(found, index[one.column, one.role], one) for one in shown]
    left = len(found.readings) - len(shown)
    more = [f"{left} more columns are in the table and have no picture."] if left else []
    body = (
        f"<header><h1>{text(found.reference.name)} and {text(found.current.name)}</h1>"
        f'<p class="answer {"bad" if found.drift else "good"}">{text(headline(found))}</p>'
        f"<p>Reference: {found.reference.rows:,} rows. Current: {found.current.rows:,} rows. "
        f"A column drifts from an effect of {found.rule.min_effect:g} on, where that is beyond "
        f"chance at a false discovery rate of {found.rule.fdr:g}.</p>"
        + "".join(f"<p>{text(line)}</p>" for line in [*notes(found), *more])
        + f"</header><h2>Columns</h2>{_table(found.readings)}<h2>Distributions</h2>"
        '<p class="key"><span class="swatch reference"></span> reference '
        '<span class="swatch current"></span> current, as shares of all rows</p>'
        f'<div class="pictures">{"".join(_figure(one) for one in pictures)}</div>'
    )
    return page(f"{found.reference.name} and {found.current.name}", body, pictures)


def page(title: str, body: str, pictures: Sequence[dict[str, Any]]) -> str:
    """A whole page: its markup, its pictures' data, and the library that draws them, once."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - 5 MB that only pages need

    assets = files("monitor.comparison") / "assets"
    scripts = [get_plotlyjs(), (assets / "pictures.js").read_text("utf-8")]
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:"
    )
    data = json.dumps(list(pictures), allow_nan=False).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{(assets / 'page.css').read_text('utf-8')}</style>"
        f"</head><body><main>{body}</main>"
        f'<script type="application/json" id="pictures">{data}</script>'
        + "".join(f"<script>{script}</script>" for script in scripts)
        + "</body></html>\n"
    )


def text(anything: object) -> str:
    """As text in markup.

    >>> text('<img onerror="x">')
    '&lt;img onerror=&quot;x&quot;&gt;'
    """
    return html.escape(str(anything))


def write_text(document: str, path: Path) -> None:
    """Writes the file whole or not at all."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            os.fchmod(handle, 0o644)
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(document)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SidelightError(f"{path}: cannot be written: {error.strerror}") from None


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _table(readings: Sequence[Reading]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{text(one.column)}</th><td>{one.role}</td>'
        f'<td><span class="status {_shade(one)}">{_status(one)}</span></td>'
        f'<td class="number">{_number(one.score)}</td><td>{text(one.method)}</td>'
        f'<td class="number">{_number(one.p_value)}</td><td>{text(why(one))}</td></tr>'
        for one in readings
    )
    names = ("column", "role", "status", "score", "method", "p", "why")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Columns"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _status(one: Reading) -> str:
    return one.status.value + (", fault" if one.quality else "")


def _shade(one: Reading) -> str:
    return "bad" if one.status is Status.DRIFT or one.quality else "good"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _picture(found: Comparison, index: int, one: Reading) -> dict[str, Any]:
    drawn = bars(found.standard.layout, index, found.standard.counts, found.counts)
    said = why(one) or "No movement that matters."
    return {
        "kind": "bars",
        "title": one.column
        if one.role in {"feature", one.column}
        else f"{one.column} ({one.role})",
        "status": _status(one),
        "shade": _shade(one),
        "said": said,
        "names": list(drawn.names),
        "reference": [round(share, 6) for share in drawn.reference],
        "current": [round(share, 6) for share in drawn.current],
        "ordered": drawn.ordered,
    }


def _figure(picture: dict[str, Any]) -> str:
    """The place of a picture, with its title, its description, and its numbers as a table."""
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th>'
        f'<td class="number">{before:.2%}</td><td class="number">{now:.2%}</td></tr>'
        for name, before, now in zip(
            picture["names"], picture["reference"], picture["current"], strict=True
        )
    )
    title = text(picture["title"])
    return (
        f'<figure><figcaption><h3>{title} <span class="status {picture["shade"]}">'
        f"{text(picture['status'])}</span></h3><p>{text(picture['said'])}</p></figcaption>"
        f'<div class="plot" role="img" aria-label="Shares of {title} in the reference and in the '
        'current rows; the numbers follow."></div>'
        "<details><summary>Numbers</summary><table><thead><tr>"
        '<th scope="col">value</th><th scope="col">reference</th><th scope="col">current</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></details></figure>"
    )
