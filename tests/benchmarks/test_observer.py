"""The observer's benchmark: the same rows for all, ratios within a round, honest bars."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.observing import live, report, suite
from benchmarks.observing.rows import BATCH_ROWS, rows
from monitor.codec import Decoder
from monitor.records.framing import FrameReader, decode_exchange

HERE = Path(live.__file__).parent


def _results(single: list[float], peer: list[float]) -> suite.Results:
    results = suite.Results(suite.QUICK, {"cpu": "c", "cores": "2", "memory": "m", "kernel": "k",
                                          "python": "3", "load_before": "0"})  # fmt: skip
    results.rates = {("sidelight", "single"): single, ("whylogs track", "single"): peer}
    return results


def test_a_ratio_is_taken_within_a_round() -> None:
    results = _results([10.0, 30.0, 60.0], [1.0, 10.0, 10.0])
    assert results.ratio("whylogs track", "single") == 6.0
    assert results.rate("sidelight", "single") == 30.0
    assert results.ratio("whylogs track", "batch") is None


def test_a_bar_holds_misses_or_was_not_measured() -> None:
    found = {bar.promise: bar.holds for bar in report.bars(_results([26_000.0], [6_000.0]))}
    assert found["rows/s, single-row requests"] is True
    assert found["rows/s / whylogs track, single-row requests"] is False
    assert found["rows/s, 100-row batches"] is None
    assert not report.holds(_results([1.0], [1.0]))


def test_the_page_shows_every_bar_and_no_path() -> None:
    text = report.markdown(_results([26_000.0], [6_000.0]))
    assert "| rows/s, single-row requests | ≥ 25,000 | 26,000 | holds |" in text
    assert "| sidelight / whylogs track | 4.3 | – |" in text
    assert str(Path.cwd()) not in text


@pytest.mark.parametrize(("mode", "each"), [("single", 1), ("batch", BATCH_ROWS)])
def test_what_is_sent_is_what_the_peer_gets(mode: str, each: int) -> None:
    reader = FrameReader()
    payloads = [one for frame in live.frames(mode, 3) for _, one in reader.feed(frame)]
    batches = [Decoder().decode(decode_exchange(payload)) for payload in payloads]
    assert [len(batch) for batch in batches] == [each] * 3
    given = [dict(zip(b.features, row, strict=True)) for b in batches
             for row in zip(*b.features.values(), strict=True)]  # fmt: skip
    assert given == rows(3 * each)


@pytest.mark.end_to_end
def test_the_live_figure_counts_every_row() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "live.py"), "single", "2000"],
        capture_output=True, check=True, timeout=60, env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert 2000 - 512 <= found["rows"] <= 2000  # the last of the warm slice may be among them
    assert found["rate"] > 100
