"""The ring of scores: against a plain list of everything, and bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history import ScoreHistory
from monitor.snapshot import Reading, ReferenceInfo, Snapshot, Status


def looked(at: float, digest: str = "d", **scores: float | None) -> Snapshot:
    readings = tuple(
        Reading(name, "feature", "numeric", Status.OK, "psi", 9, score)
        for name, score in scores.items()
    )
    return Snapshot("m", "1", at, 0.0, at, 9, ReferenceInfo("ready", digest, 9), readings)


def seen(history: ScoreHistory, column: str) -> list[float]:
    return [float(score) for score in history.scores("feature", column)]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5, width=32)), max_size=60))
def test_each_step_keeps_its_newest_score(looks: Sequence[tuple[float, float]]) -> None:
    history, now, kept = ScoreHistory(10.0, points=5), 0.0, {}
    for passed, score in looks:
        now += passed
        history.note(looked(now, a=score))
        kept[math.floor(now / 10.0)] = (now, score)
    expected = list(kept.values())[-5:]
    assert list(zip(history.times, seen(history, "a"), strict=True)) == expected


def test_columns_come_and_go_and_keep_what_they_had() -> None:
    history = ScoreHistory(1.0, points=4)
    history.note(looked(0.0, a=1.0))
    history.note(looked(1.0, b=2.0, a=None))
    history.note(looked(2.0, b=3.0, a=4.0))
    np.testing.assert_equal(seen(history, "a"), [1.0, math.nan, 4.0])
    np.testing.assert_equal(seen(history, "b"), [math.nan, 2.0, 3.0])
    np.testing.assert_equal(seen(history, "none"), [math.nan] * 3)
    history.note(looked(3.0, b=5.0))
    np.testing.assert_equal(seen(history, "a"), [math.nan] * 4)


@pytest.mark.parametrize("later", [looked(2.0, "other", a=9.0), looked(0.0, a=9.0)])
def test_another_reference_or_an_earlier_clock_begins_anew(later: Snapshot) -> None:
    history = ScoreHistory(1.0)
    for at in (1.0, 2.0):
        history.note(looked(at, a=at))
    history.note(later)
    assert seen(history, "a") == [9.0]


def test_a_thousand_columns_cost_half_a_megabyte() -> None:
    history = ScoreHistory(1.0)
    many: dict[str, float | None] = {f"c{i}": 0.5 for i in range(1_000)}
    for at in range(300):
        history.note(looked(float(at), "d", **many))
    assert history._scores.nbytes == 1_000 * 120 * 4
    assert len(history.times) == 120
