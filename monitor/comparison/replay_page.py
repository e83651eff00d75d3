"""The page of a backtest: each alert's life on one time line, then scores and metrics over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.comparison.backtest import Backtest
from monitor.comparison.page import page, text, write_text
from monitor.comparison.record import Raised
from monitor.comparison.replayed import headline, notes, short

MOST_LINES = 60  # alerts on the time line
MOST_PICTURES = 120


def write(found: Backtest, path: Path) -> None:
    """Writes it."""
    write_text(backtest_page(found), path)


def backtest_page(found: Backtest) -> str:
    """The whole page."""
    pictures = [*_time_line(found), *_scores(found), *_metrics(found)][:MOST_PICTURES]
    body = (
        f"<header><h1>{text(found.log.name)}, replayed</h1>"
        f'<p class="answer {"bad" if found.raised else "good"}">{text(headline(found))}</p>'
        f"<p>{found.span.rows:,} rows from {_iso(found.span.start)} to {_iso(found.span.end)}; "
        f"a window of {_span(found.settings.window_seconds)} in panes of "
        f"{_span(found.settings.pane_seconds)}.</p>"
        + "".join(f"<p>{text(line)}</p>" for line in notes(found))
        + "</header><h2>Over time</h2>"
        '<p class="key">Shaded: an alert on the column fires. Dotted: the smallest effect that '
        "counts.</p>"
        f'<div class="pictures">{"".join(_figure(one) for one in pictures)}</div>'
        f"<h2>Alerts</h2>{_table(found.raised)}"
    )
    return page(f"{found.log.name}, replayed", body, pictures)


def _time_line(found: Backtest) -> list[dict[str, Any]]:
    shown = found.raised[: MOST_LINES * 20]
    names = list(dict.fromkeys(f"{short(one)} {one.what}".strip() for one in shown))[:MOST_LINES]
    kept = [one for one in shown if f"{short(one)} {one.what}".strip() in names]
    if not kept:
        return []
    return [
        {
            "kind": "gantt",
            "title": "When alerts fired",
            "said": f"{len(found.raised)} alerts; each bar is one, from firing to its end.",
            "names": names,
            "rows": [names.index(f"{short(one)} {one.what}".strip()) for one in kept],
            "begins": [_iso(one.fired_at) for one in kept],
            "lasts": [1000.0 * (_ended(found, one) - one.fired_at) for one in kept],
            "range": [_iso(found.span.start), _iso(found.span.end)],
            "lives": [_life(one) for one in kept],
            "tall": 60 + 22 * len(names),
        }
    ]


def _scores(found: Backtest) -> list[dict[str, Any]]:
    pictures = []
    for (name, role), series in found.record.scores.items():
        spans = [one for one in found.raised if (one.what, one.labels.get("role")) == (name, role)]
        threshold = found.record.thresholds.get((name, role))
        title = name if role in {"feature", name} else f"{name} ({role})"
        picture = _lines(found, title, {"score": series}, spans)
        picture["levels"] = [] if threshold is None else [threshold]
        pictures.append((not spans, picture))
    return [picture for _, picture in sorted(pictures, key=lambda pair: pair[0])]


def _metrics(found: Backtest) -> list[dict[str, Any]]:
    return [
        _lines(
            found,
            name,
            {name: series},
            [one for one in found.raised if one.labels.get("metric") == name],
        )
        for name, series in found.record.metrics.items()
    ]


def _lines(
    found: Backtest, title: str, series: dict[str, list[float | None]], spans: Sequence[Raised]
) -> dict[str, Any]:
    at = [_iso(when) for when in found.record.at]
    drawn = [
        {"name": name, "values": [*values, *[None] * (len(at) - len(values))]}
        for name, values in series.items()
    ]
    return {
        "kind": "lines",
        "title": title,
        "said": _lives(spans),
        "at": at,
        "series": drawn,
        "spans": [[_iso(one.fired_at), _iso(_ended(found, one))] for one in spans],
        "levels": [],
    }


def _figure(picture: dict[str, Any]) -> str:
    title = text(picture["title"])
    height = f' style="height:{picture["tall"]}px"' if "tall" in picture else ""
    wide = ' class="whole"' if "tall" in picture else ""
    return (
        f"<figure{wide}><figcaption><h3>{title}</h3><p>{text(picture['said'])}</p></figcaption>"
        f'<div class="plot"{height} role="img" aria-label="{title} over the time of the log; the '
        'table of alerts says it in words."></div></figure>'
    )


def _table(raised: Sequence[Raised]) -> str:
    rows = "".join(
        f"<tr><td>{_iso(one.fired_at)}</td>"
        f"<td>{'still' if one.resolved_at is None else _iso(one.resolved_at)}</td>"
        f'<th scope="row">{text(short(one))}</th><td>{text(one.what)}</td>'
        f"<td>{text(one.annotations.get('description', ''))}</td></tr>"
        for one in raised[:1000]
    )
    names = ("fired", "resolved", "alert", "what", "why")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Alerts"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _life(one: Raised) -> str:
    ended = "still" if one.resolved_at is None else _iso(one.resolved_at)
    return f"{short(one)} {one.what} from {_iso(one.fired_at)} to {ended}".replace("to still", "on")


def _lives(spans: Sequence[Raised]) -> str:
    shown = [_life(one) for one in spans[:2]]
    more = [f"{len(spans) - 2} more"] if len(spans) > 2 else []
    return "; ".join([*shown, *more]) or "No alert."


def _ended(found: Backtest, one: Raised) -> float:
    return found.span.end if one.resolved_at is None else one.resolved_at


def _iso(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}"


def _span(seconds: float) -> str:
    """A duration in its largest whole unit.

    >>> _span(7 * 86400.0), _span(90.0)
    ('7 d', '90 s')
    """
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("m", 60.0)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
