"""A killed monitor: no acknowledged label is lost, and its panes are there again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.labels.kills import MONITOR, rounds
from tests.end_to_end.sidecar import Sidecar

pytestmark = pytest.mark.end_to_end


def test_no_acknowledged_label_is_lost_and_each_counts_once(tmp_path: Path) -> None:
    seen = rounds(tmp_path, count=2, labels=5_000, seed=20_261_126)
    assert [one.lost for one in seen] == [0, 0]
    assert [one.acknowledged for one in seen] == [5_000, 5_000]
    assert [one.counted for one in seen] == [5_000, 10_000]


def test_the_windows_of_features_and_predictions_survive(
    start: Callable[..., Sidecar], tmp_path: Path
) -> None:
    sidecar = start(config="window: {min_rows: 2}\nmodel: {task: regression}\n")
    for part in range(10):
        sidecar.predict([part * 600 + n for n in range(600)])  # the first 5,000 are the reference
    sidecar.wait(lambda: sidecar.json("/api/v1/drift")["reference"]["state"] == "ready")
    sidecar.predict([float(n) for n in range(500)])
    sidecar.wait(lambda: sidecar.json("/api/v1/health")["predictions"] == 6_500)

    def window() -> tuple[object, ...]:
        found = sidecar.json("/api/v1/drift")
        columns = [(one["column"], one["rows"], one["score"]) for one in found["columns"]]
        return found["window"]["rows"], columns

    sidecar.wait(lambda: window()[0] != 0)
    before = window()
    sidecar.wait(lambda: _saved(tmp_path) == before[0])
    first = sidecar.children()[MONITOR]
    os.kill(first, signal.SIGKILL)
    sidecar.wait(lambda: sidecar.children().get(MONITOR, first) != first)
    sidecar.wait(lambda: window() == before)


def _saved(folder: Path) -> int:
    """Rows in the panes that are in the store: they are saved every five seconds."""
    path = folder / "data" / "sidelight.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT body FROM documents WHERE key LIKE 'pane %'")
        return sum(json.loads(body)["rows"] for (body,) in found)
