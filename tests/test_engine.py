"""The engine: rows and labels in, readings, performance and alerts out; time is an argument."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from monitor.alerting.ledger import Timing
from monitor.alerting.policy import ColumnRule, DriftPolicy
from monitor.engine import Engine, EngineSettings
from monitor.performance.desk import PerformanceRules
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference, ReferencePerformance
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Prediction, Value
from monitor.snapshot import AlertState, Health, Reading, Status

WELL = Health(observing=True)
START = 1_000_000.0


def _rows(seed: int, count: int, shift: float = 0.0) -> list[float]:
    source = random.Random(seed)
    return [source.gauss(shift, 1.0) for _ in range(count)]


def _reference(performance: ReferencePerformance | None = None) -> Reference:
    x = _rows(1, 5000)
    kind = ["a" if value < 0 else "b" for value in _rows(2, 5000)]
    rows = Rows({"x": x, "kind": kind}, {"prediction": x})
    return build_from_columns(rows, created_at=0.0, task="regression", performance=performance)


SETTINGS = EngineSettings(
    model="m",
    task="regression",
    window_seconds=600.0,
    pane_seconds=60.0,
    drift=DriftPolicy(window_seconds=600.0, look_seconds=60.0),
    timing=Timing(for_seconds=60.0, keep_firing_seconds=120.0, gap_seconds=60.0),
)


def _batch(x: Sequence[object], at: float, kind: str = "a", first: int = 0) -> Batch:
    count = len(x)
    return Batch(
        [f"id-{first + i}" for i in range(count)],
        [0] * count,
        [at] * count,
        {"x": x, "kind": [kind if i % 2 else "b" for i in range(count)]},
        {"prediction": x},
    )


def _read(engine: Engine, now: float, column: str = "x") -> Reading:
    readings = engine.evaluate(now, WELL).snapshot.readings
    return next(reading for reading in readings if reading.column == column)


def test_few_rows_are_insufficient_not_zero_drift() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(3, 99), START))
    reading = _read(engine, START)
    assert reading.status is Status.INSUFFICIENT
    assert (reading.score, reading.p_value, reading.threshold) == (None, None, None)


def test_the_same_distribution_is_ok_and_a_shift_is_drift() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(3, 1000), START))
    assert _read(engine, START).status is Status.OK
    engine.observe(_batch(_rows(4, 3000, shift=1.0), START + 60))
    reading = _read(engine, START + 60)
    assert reading.status is Status.DRIFT
    assert reading.p_value is not None
    assert reading.p_value < 1e-6
    assert "share of x" in reading.explanation


def test_no_single_value_raises_or_hides_an_alarm() -> None:
    for huge in (1e308, -1e308, 1e6, math.inf):
        clean, moved = Engine(SETTINGS, _reference()), Engine(SETTINGS, _reference())
        clean.observe(_batch([*_rows(3, 1000), huge], START))
        moved.observe(_batch([*_rows(4, 1000, shift=0.5), huge], START))
        assert _read(clean, START).status is Status.OK
        assert _read(moved, START).status is Status.DRIFT


def test_a_column_that_went_missing_is_drift_of_its_presence() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch([None] * 500, START))
    reading = _read(engine, START)
    assert (reading.status, reading.method) == (Status.DRIFT, "presence")
    words = (
        "the column is absent or empty: 100 % of values are missing (reference 0 %, limit 1.2 %)"
    )
    assert reading.quality == (words,)
    assert _read(engine, START, "kind").status is Status.OK


def test_an_unseen_category_is_named_as_a_fault() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(3, 1000), START, kind="new"))
    assert "unseen in the reference" in _read(engine, START, "kind").quality[0]


def test_rows_leave_with_their_pane() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(4, 1000, shift=1.0), START))
    assert _read(engine, START).status is Status.DRIFT
    engine.observe(_batch(_rows(5, 1000), START + 660))
    snapshot = engine.evaluate(START + 660, WELL).snapshot
    assert snapshot.window_rows == 1000
    assert all(reading.status is Status.OK for reading in snapshot.readings)


def test_a_columns_own_threshold_decides_alone() -> None:
    def status(threshold: float) -> Status:
        policy = DriftPolicy(columns={"x": ColumnRule("psi", threshold)})
        engine = Engine(replace(SETTINGS, drift=policy), _reference())
        engine.observe(_batch(_rows(4, 1000, shift=0.5), START))
        reading = _read(engine, START)
        assert reading.method == "psi"
        assert reading.threshold == threshold
        return reading.status

    assert status(0.05) is Status.DRIFT
    assert status(3.0) is Status.OK


def test_the_first_rows_become_the_reference() -> None:
    engine = Engine(SETTINGS)
    for number in range(10):
        assert engine.learn(START) is None
        engine.observe(_batch(_rows(number, 500), START))
        info = engine.evaluate(START, WELL).snapshot.reference
        assert (info.state, info.rows) == ("learning", 500 * (number + 1))
    learned = engine.learn(START)
    assert learned is not None
    assert learned.rows == 5000
    assert engine.evaluate(START, WELL).snapshot.reference.digest == learned.digest
    engine.observe(_batch(_rows(50, 1000, shift=1.0), START))
    assert _read(engine, START).status is Status.DRIFT


def _ready_to_learn() -> tuple[Engine, Callable[[], Reference]]:
    engine = Engine(SETTINGS)
    engine.observe(_batch(_rows(1, 5000), START))
    lesson = engine.lesson(START)
    assert lesson is not None
    assert engine.lesson(START) is None  # once
    return engine, lesson


def test_rows_that_come_while_the_reference_is_made_are_counted_then() -> None:
    engine, lesson = _ready_to_learn()
    engine.observe(_batch(_rows(2, 300), START))
    info = engine.evaluate(START, WELL).snapshot.reference
    assert (info.state, info.rows) == ("learning", 5000)
    assert engine.learned(lesson())
    assert engine.evaluate(START, WELL).snapshot.window_rows == 300
    assert engine.reference is not None
    assert engine.reference.rows == 5000


def test_a_reference_that_is_given_meanwhile_stays() -> None:
    engine, lesson = _ready_to_learn()
    given = _reference()
    engine.adopt(given)
    assert not engine.learned(lesson())
    assert engine.reference is given


def test_after_a_lesson_that_failed_other_rows_are_learned_from() -> None:
    engine, _ = _ready_to_learn()
    engine.observe(_batch(_rows(2, 300), START))
    assert not engine.learned(None)
    assert engine.evaluate(START, WELL).snapshot.reference.rows == 0
    engine.observe(_batch(_rows(3, 5000), START))
    assert engine.learn(START) is not None


def _joined(row: int, label: Value, at: float, previous: Value | None = None) -> Joined:
    prediction = Prediction(f"id-{row}", 0, at, 10.0)
    old = None if previous is None else Label(f"id-{row}", 0, previous, at, at)
    return Joined(prediction, Label(f"id-{row}", 0, label, at, at), old)


def test_labels_make_performance_and_a_correction_replaces() -> None:
    engine = Engine(replace(SETTINGS, drift=DriftPolicy(min_rows=2)), _reference())
    engine.label([_joined(0, 13.0, START), _joined(1, 6.0, START)])
    realised = engine.evaluate(START, WELL).snapshot.performance.realised
    assert realised.rows == 2
    assert realised.metrics["rmse"] == pytest.approx(math.sqrt((9 + 16) / 2), rel=1e-12)
    assert realised.metrics["mae"] == pytest.approx(3.5, rel=1e-12)
    engine.label([_joined(1, 10.0, START, previous=6.0)])
    performance = engine.evaluate(START, WELL).snapshot.performance
    assert performance.realised.metrics["mae"] == pytest.approx(1.5, rel=1e-12)
    assert performance.by_prediction_time.metrics["mae"] == pytest.approx(1.5, rel=1e-12)
    assert performance.totals.labels == 2  # counters never fall, so corrections do not count twice


def test_a_label_that_was_taken_out_counts_no_more() -> None:
    engine = Engine(replace(SETTINGS, drift=DriftPolicy(min_rows=1)), _reference())
    kept, revoked = _joined(0, 13.0, START), _joined(1, 6.0, START)
    engine.label([kept, revoked])
    engine.label([Joined(revoked.prediction, None, revoked.label)])
    performance = engine.evaluate(START, WELL).snapshot.performance
    assert (performance.realised.rows, performance.by_prediction_time.rows) == (1, 1)
    assert performance.realised.metrics["mae"] == pytest.approx(3.0, rel=1e-12)
    assert performance.totals.labels == 2


def test_restored_labels_fill_the_window_but_not_the_totals() -> None:
    engine = Engine(replace(SETTINGS, drift=DriftPolicy(min_rows=2)), _reference())
    engine.label([_joined(0, 13.0, START), _joined(1, 6.0, START)], restored=True)
    performance = engine.evaluate(START, WELL).snapshot.performance
    assert (performance.realised.rows, performance.totals.labels) == (2, 0)


def test_the_task_is_found_from_labels_where_nobody_said_it() -> None:
    engine = Engine(replace(SETTINGS, task=None, drift=DriftPolicy(min_rows=3)))
    engine.label([_joined(0, 1.5, START), _joined(1, 2.5, START)])
    assert engine.evaluate(START, WELL).snapshot.performance.task is None
    engine.label([_joined(2, 7.25, START)])
    performance = engine.evaluate(START, WELL).snapshot.performance
    assert (performance.task, performance.realised.rows) == ("regression", 3)


def test_drift_becomes_an_alert_after_its_time_and_is_resolved_once() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(4, 1000, shift=1.0), START))
    seen = [
        (alert.labels["alertname"], alert.labels["column"], alert.state, minute)
        for minute in range(20)
        for alert in engine.evaluate(START + 60 * minute, WELL).transitions
    ]
    names = {("SidelightFeatureDrift", "x"), ("SidelightPredictionDrift", "prediction")}
    assert {seen_one[:2] for seen_one in seen} == names
    for name in names:
        story = [(state, minute) for *who, state, minute in seen if tuple(who) == name]
        assert [state for state, _ in story] == [AlertState.FIRING, AlertState.RESOLVED]
        assert story[0][1] == 1
        assert story[1][1] >= 12  # ten minutes of window, two of keep_firing_for


def test_performance_beyond_its_threshold_is_an_alert() -> None:
    settings = replace(
        SETTINGS,
        drift=DriftPolicy(min_rows=2),
        performance=PerformanceRules(thresholds={"rmse": 3.0}),
    )
    performance = ReferencePerformance(100, {"rmse": 1.0})
    engine = Engine(settings, _reference(performance))
    engine.label([_joined(0, 13.0, START), _joined(1, 6.0, START)])
    engine.evaluate(START, WELL)
    (alert,) = engine.evaluate(START + 60, WELL).transitions
    assert alert.labels["alertname"] == "SidelightPerformanceDegraded"
    assert "threshold 3; 1 on the reference, over 2 labels" in alert.annotations["description"]


def test_blindness_is_an_alert_but_not_while_starting() -> None:
    engine = Engine(replace(SETTINGS, timing=Timing(0.0, 0.0)))
    blind = Health(started_at=START, observing=False)
    assert engine.evaluate(START + 5, blind).transitions == ()
    (alert,) = engine.evaluate(START + 11, blind).transitions
    assert alert.labels["alertname"] == "SidelightNotObserving"


def test_a_clock_that_jumps_makes_no_window_of_negative_length() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(_rows(3, 1000), START))
    for now in (START - 3600, START + 86400, START):
        snapshot = engine.evaluate(now, WELL).snapshot
        assert snapshot.window_end - snapshot.window_start == pytest.approx(600)
        assert not snapshot.alerts


def test_counts_are_whole_and_shares_are_the_references() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch([*_rows(3, 997), None, "text", {}], START))
    counts = engine.evaluate(START, WELL).snapshot.counts
    for column in counts:
        assert sum(column.observed) == 1000
        assert sum(column.reference) == pytest.approx(1.0)
    x = next(column for column in counts if column.column == "x")
    by_bin = dict(zip(x.bins, x.observed, strict=True))
    assert (by_bin["missing"], by_bin["invalid"]) == (1, 2)


def test_a_window_without_rows_still_names_every_column() -> None:
    snapshot = Engine(SETTINGS, _reference()).evaluate(START, WELL).snapshot
    assert {reading.status for reading in snapshot.readings} == {Status.INSUFFICIENT}
    names = [reading.column for reading in snapshot.readings]
    assert names == ["x", "kind", "prediction", "multivariate"]
