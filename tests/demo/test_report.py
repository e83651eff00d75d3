"""The demo's verdict: what it must have seen; and its tables and progress, as text."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from rich.console import Console

from monitor.demo.display import Display
from monitor.demo.history import History
from monitor.demo.picture import draw
from monitor.demo.receiver import Delivery
from monitor.demo.report import Outcome, shortcomings, show
from monitor.demo.sidecar import Counters, read_look
from monitor.demo.truth import Comparison, Errors

ERRORS = Errors(100, 20.125, 14.5)
FIRED = Delivery(1.0, "SidelightFeatureDrift", "wind_speed", "firing", "")
RESOLVED = dataclasses.replace(FIRED, received_at=2.0, status="resolved")


def history() -> History:
    seen = History()
    wind = {"column": "wind_speed", "role": "feature", "method": "wasserstein"}
    drift = {
        "evaluated_at": 7.0,
        "window": {"start": 1.0, "end": 7.0, "rows": 900},
        "columns": [{**wind, "status": "drift", "score": 0.53, "threshold": 0.1}],
    }
    performance = {
        "realised": {"rmse": 23.5, "mae": 15.0, "rows": 800},
        "reference": {"rmse": 16.25, "mae": 11.0, "rows": 80_000},
    }
    seen.see(read_look(drift, performance), pd.Timestamp("2013-09-02"))
    return seen


def outcome() -> Outcome:
    return Outcome(
        seconds=60.0,
        every=5,
        sent_rows=100,
        answered_rows=100,
        failed_requests=0,
        labelled_rows=100,
        history=history(),
        counters=Counters(10, 100, 10, 0, 100, 1.0, 1.0),
        totals=Comparison(ERRORS, ERRORS),
        window=Comparison(ERRORS, ERRORS),
        deliveries=(FIRED, RESOLVED),
        refused_deliveries=0,
    )


def test_a_whole_story_lacks_nothing() -> None:
    assert shortcomings(outcome()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"history": History()}, ["no column was found in drift"]),
        ({"deliveries": ()}, ["no alert was delivered", "no alert was resolved"]),
        ({"deliveries": (FIRED,)}, ["no alert was resolved"]),
        ({"deliveries": (FIRED,), "seconds": 59.0}, []),
        ({"refused_deliveries": 2}, ["2 alerts were refused"]),
        ({"failed_requests": 1}, ["1 requests failed"]),
        ({"totals": None}, ["all labels: not what pandas computes"]),
        (
            {"window": Comparison(ERRORS, dataclasses.replace(ERRORS, mae=14.50001))},
            ["last window: not what pandas computes"],
        ),
        (
            {"window": Comparison(ERRORS, dataclasses.replace(ERRORS, rows=99))},
            ["last window: not what pandas computes"],
        ),
        # Lost observations are counted, and make the rows others than pandas has.
        ({"counters": Counters(10, 90, 9, 1, 90, 1.0, 1.0), "totals": None}, []),
    ],
)
def test_what_is_missing_is_said(change: dict[str, object], said: list[str]) -> None:
    changed = dataclasses.replace(outcome(), **change)  # type: ignore[arg-type]  # from a table
    assert shortcomings(changed) == said


def test_no_performance_is_said() -> None:
    changed = dataclasses.replace(outcome(), totals=None, window=None)
    assert "no performance was computed" in shortcomings(changed)


def printed(measured: Outcome) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(measured, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_tables_hold_the_figures() -> None:
    text = printed(outcome())
    for figure in ("16.250", "23.500", "20.125", "0.53 wasserstein", "02 Sep", "agrees to 1e-16"):
        assert figure in text
    assert "one flight in 5" in text
    assert "1 fired, 1 resolved" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_tables_print_whatever_is_missing() -> None:
    bare = dataclasses.replace(
        outcome(), history=History(), counters=None, totals=None, window=None, deliveries=()
    )
    assert "not computed" in printed(bare)
    fewer = Comparison(ERRORS, dataclasses.replace(ERRORS, rows=90))
    assert "90 rows there" in printed(dataclasses.replace(outcome(), totals=fewer))
    other = Comparison(ERRORS, dataclasses.replace(ERRORS, rmse=20.2))
    assert "differs by 4e-03" in printed(dataclasses.replace(outcome(), totals=other))


def test_the_picture_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "demo.svg"
    draw(outcome(), path)
    drawn = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own
    assert "wind_speed" in "".join(drawn.itertext())
    assert "url(http" not in path.read_text("utf-8")
    assert "@font-face" not in path.read_text("utf-8")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_with_and_without_a_terminal(*, terminal: bool) -> None:
    output = io.StringIO()
    display = Display(Console(file=output, width=100, force_terminal=terminal))
    with display.showing():
        step = display.step("training on January to March", 2)
        display.advance(step)
        for day in ("2013-06-30", "2013-07-01", "2013-07-02"):
            display.replayed(step, 1, pd.Timestamp(day), (history(), [FIRED, RESOLVED, FIRED]))
    text = output.getvalue()
    assert ("flights of 02 July" if terminal else "training on January to March") in text
    assert "in drift: wind_speed · alerts: 2 fired, 1 resolved" in text
    assert "RMSE 23.5 (reference 16.2)" in text
    if not terminal:
        assert text.count("July") == 1
