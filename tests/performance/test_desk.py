"""The desk: labelled share, segments, drift of segments and of labels; all against brute force."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from monitor.alerting.conditions import Subject, conditions
from monitor.alerting.policy import DriftPolicy
from monitor.engine import Engine, EngineSettings
from monitor.performance.checkpoint import Checkpoints, counted, is_whole, read, take_up
from monitor.performance.desk import PerformanceRules
from monitor.performance.kept import Counted
from monitor.performance.segment_drift import SegmentDrift
from monitor.performance.segments import Segment, Segments
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference, parse, render
from monitor.profile.segments import SegmentCounting
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Prediction
from monitor.snapshot import Health, Reading, SegmentReading, Snapshot, Status

START = 1_000_000.0
WELL = Health(observing=True)
POLICY = DriftPolicy(window_seconds=600.0, look_seconds=60.0)
SETTINGS = EngineSettings(
    task="regression",
    window_seconds=600.0,
    pane_seconds=60.0,
    drift=POLICY,
    performance=PerformanceRules(segments=("carrier",), segment_values=2),
)
CARRIERS = ("AA", "UA", "WN", "B6")
SHARES = (0.4, 0.3, 0.2, 0.1)


def rows_of(seed: int, count: int, moved: str = "", shift: float = 1.0) -> Rows:
    """Each carrier has its own place; the rows of one may be moved."""
    draw = np.random.default_rng(seed)
    carrier = draw.choice(CARRIERS, count, p=SHARES)
    place = np.array([CARRIERS.index(one) for one in carrier]) * 3.0
    x = place + draw.normal(size=count) + np.where(carrier == moved, shift, 0.0)
    truth = x + draw.normal(size=count)
    return Rows({"x": x, "carrier": carrier.tolist()}, {"prediction": x}, labels=truth)


@pytest.fixture(scope="module")
def reference() -> Reference:
    rows = rows_of(0, 8000)
    whole = build_from_columns(rows, created_at=0.0, task="regression")
    return replace(whole, segments=SegmentCounting(whole.layout, ["carrier"]).of([rows]))


def batch(rows: Rows, at: float) -> Batch:
    count = len(rows.outputs["prediction"])
    columns = {name: list(column) for name, column in rows.features.items()}
    outputs = {"prediction": list(rows.outputs["prediction"])}
    return Batch([f"p{at}-{i}" for i in range(count)], [0] * count, [at] * count, columns, outputs)


def joined(rows: Rows, at: float, received: float, every: int = 1) -> list[Joined]:
    assert rows.labels is not None
    triples = zip(rows.outputs["prediction"], rows.labels, rows.features["carrier"], strict=True)
    found = []
    for i, (guess, truth, carrier) in enumerate(triples):
        if i % every == 0:
            prediction = Prediction(f"p{at}-{i}", 0, at, float(guess), {}, {"carrier": carrier})
            label = Label(f"p{at}-{i}", 0, float(truth), received, received)
            found.append(Joined(prediction, label))
    return found


def segment(snapshot: Snapshot, name: str) -> SegmentReading:
    return next(one for one in snapshot.performance.segments if one.name == name)


def label_reading(snapshot: Snapshot) -> Reading:
    return next(one for one in snapshot.readings if one.role == "label")


def test_segments_and_labelled_shares_equal_brute_force(reference: Reference) -> None:
    engine = Engine(SETTINGS, reference)
    rows = rows_of(1, 2000)
    engine.observe(batch(rows, START))
    engine.label(joined(rows, START, START + 5.0, every=4))
    snapshot = engine.evaluate(START + 5.0, WELL).snapshot
    assert snapshot.performance.by_prediction_time.labelled_ratio == 0.25
    names = [one.name for one in snapshot.performance.segments]
    assert names == ["carrier=AA", "carrier=UA", "carrier=other"]
    carriers = np.array(rows.features["carrier"])
    assert rows.labels is not None
    errors = np.array(rows.outputs["prediction"]) - np.array(rows.labels)
    labelled = np.arange(2000) % 4 == 0
    for name in names:
        value = name.removeprefix("carrier=")
        of_it = ~np.isin(carriers, ["AA", "UA"]) if value == "other" else carriers == value
        found = segment(snapshot, name)
        assert found.rows == of_it.sum()
        expected = float(np.abs(errors[of_it & labelled]).mean())
        assert found.realised.metrics["mae"] == pytest.approx(expected, rel=1e-9)
        share = (of_it & labelled).sum() / of_it.sum()
        assert found.by_prediction_time.labelled_ratio == pytest.approx(share)
        assert found.totals.labels == (of_it & labelled).sum()


def test_labels_of_predictions_before_this_process_make_no_share(reference: Reference) -> None:
    engine = Engine(SETTINGS, reference)
    engine.label(joined(rows_of(1, 500), START, START + 5.0), restored=True)
    assert engine.evaluate(START + 5.0, WELL).snapshot.performance.realised.labelled_ratio is None


def test_a_restart_knows_how_many_rows_were_predicted_and_that_errors_have_risen(
    reference: Reference,
) -> None:
    engine = Engine(SETTINGS, reference)
    rows = rows_of(1, 1000)
    engine.observe(batch(rows, START))
    worse = replace(rows, labels=np.array(rows.labels) + 8.0)
    labels = joined(rows, START, START + 5.0, every=2) + joined(worse, START, START + 5.0)
    engine.label(labels)
    before = engine.evaluate(START + 5.0, WELL).snapshot.performance
    assert before.shift is not None
    documents = json.loads(json.dumps(Checkpoints().documents(now(engine))))
    kept = read(documents)
    assert kept is not None
    again = Engine(SETTINGS, reference)
    assert is_whole(kept, now(again))
    take_up(kept, now(again), labels=True)
    after = again.evaluate(START + 5.0, WELL).snapshot.performance
    assert after.by_prediction_time == before.by_prediction_time
    assert [one.rows for one in after.segments] == [one.rows for one in before.segments]
    assert after.shift == before.shift
    header = documents["counted all"]
    for wrong in ({}, {"format": 2}, {**header, "panes": 7}, {**header, "panes": [[60.0, 1]]}):
        assert read({**documents, "counted all": wrong}) is None
    damaged = read({**documents, "counted all": {**header, "stream": "x"}})
    assert damaged is not None
    with pytest.raises(ValueError, match="counted"):
        take_up(damaged, now(Engine(SETTINGS, reference)), labels=True)


def test_a_checkpoint_writes_only_the_panes_that_changed(reference: Reference) -> None:
    engine, checkpoints = Engine(SETTINGS, reference), Checkpoints()
    for pane in range(3):
        at = START + 60.0 * pane
        engine.observe(batch(rows_of(pane, 100), at))
        engine.label(joined(rows_of(pane, 100), at, at))
    first = checkpoints.documents(now(engine))
    assert [len(one["parts"]) > 0 for key, one in first.items() if key != "counted all"]
    assert list(checkpoints.documents(now(engine))) == ["counted all"]
    engine.label(joined(rows_of(1, 100), START + 60.0, START + 60.0, every=10))
    changed = checkpoints.documents(now(engine))
    assert [one["pane"] for key, one in changed.items() if key != "counted all"] == [
        (START + 60.0) // 60.0
    ]
    checkpoints.forget()
    assert checkpoints.documents(now(engine)).keys() == first.keys()


def now(engine: Engine) -> Counted:
    assert engine.reference is not None
    return counted(("m", "1"), engine.desk, engine.labels, engine.reference.digest)


def test_drift_in_one_segment_names_it_and_no_other(reference: Reference) -> None:
    engine = Engine(SETTINGS, reference)
    assert engine.desk.families == 2
    engine.observe(batch(rows_of(1, 3000, moved="UA"), START))
    snapshot = engine.evaluate(START, WELL).snapshot
    assert segment(snapshot, "carrier=AA").drift is Status.OK
    assert segment(snapshot, "carrier=other").drift is None  # many values have no reference
    drifted = segment(snapshot, "carrier=UA")
    assert drifted.drift is Status.DRIFT
    assert {one.column for one in drifted.drifted} == {"x", "prediction"}
    found = conditions(Subject("m", "1"), (), snapshot.performance, WELL, START)
    labels = {one.labels.get("segment") for one in found}
    assert labels == {"carrier=UA"}
    assert "x has drifted where carrier=UA" in found[0].annotations["summary"]
    whole = tuple(replace(one, status=Status.DRIFT) for one in snapshot.readings)
    told = conditions(Subject("m", "1"), whole, snapshot.performance, WELL, START)
    assert all("segment" not in one.labels for one in told), "the whole says it already"


def test_segments_without_drift_are_quiet_and_few_rows_are_no_answer(reference: Reference) -> None:
    engine = Engine(SETTINGS, reference)
    for seed in range(10):
        now = START + 660.0 * seed
        engine.observe(batch(rows_of(100 + seed, 2000), now))
        for one in engine.evaluate(now, WELL).snapshot.performance.segments:
            assert one.drift in (Status.OK, None)
    engine = Engine(SETTINGS, reference)
    engine.observe(batch(rows_of(1, 60), START))
    snapshot = engine.evaluate(START, WELL).snapshot
    assert segment(snapshot, "carrier=AA").drift is Status.INSUFFICIENT


def test_the_budget_is_one_over_whole_segments_and_labels(reference: Reference) -> None:
    with_segments = Engine(SETTINGS, reference)
    without = Engine(replace(SETTINGS, performance=PerformanceRules()), reference)
    shares = [
        engine._policy(whole=whole).false_alerts_per_month
        for engine in (with_segments, without)
        for whole in (True, False)
    ]
    assert shares == pytest.approx([4 / 13, 1 / 13, 4 / 5, 1 / 5])
    families = 1 + with_segments.desk.families
    assert shares[0] * families + shares[1] == pytest.approx(POLICY.false_alerts_per_month)


def test_memory_of_segments_is_bounded(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = len(reference.counts.cells)
    monkeypatch.setattr("monitor.performance.segment_drift.MOST_CELLS", 3 * cells * 11)
    assert len(SegmentDrift(reference, 600.0, 60.0)) == 3
    segments = Segments(("carrier",), limit=3)
    named = {segments.of({"carrier": f"c{i}"}) for i in range(1000)}
    assert len(named) == 4
    assert segments.codes("carrier", ["c1", None, "zz", ["x"]]) == ["c1", None, "other", None]
    assert segments.known == {Segment("carrier", f"c{i}") for i in range(3)}


def test_a_reference_file_carries_its_segments(reference: Reference) -> None:
    again = parse(render(reference))
    assert again.digest == reference.digest
    assert [(one.column, one.value) for one in again.segments] == [
        ("carrier", name) for name in CARRIERS
    ]
    for one, other in zip(again.segments, reference.segments, strict=True):
        assert one.counts == other.counts
    assert sum(one.counts.rows for one in again.segments) == reference.rows


def test_label_drift_by_arrival_with_corrections(reference: Reference) -> None:
    engine = Engine(SETTINGS, reference)
    rows = rows_of(1, 1000)
    engine.observe(batch(rows, START))
    engine.label(joined(rows, START, START))
    snapshot = engine.evaluate(START, WELL).snapshot
    assert label_reading(snapshot).status is Status.OK
    counts = next(one for one in snapshot.counts if one.role == "label")
    assert sum(counts.observed) == 1000
    moved = []
    for one in joined(rows, START, START):
        assert one.label is not None
        assert isinstance(one.label.value, float)
        new = replace(one.label, value=one.label.value + 4.0)
        moved.append(Joined(one.prediction, new, one.label))
    engine.label(moved)
    snapshot = engine.evaluate(START, WELL).snapshot
    found = label_reading(snapshot)
    assert (found.status, found.rows) == (Status.DRIFT, 1000)
    names = [
        one.labels["alertname"]
        for one in conditions(
            Subject("m", "1"), snapshot.readings, snapshot.performance, WELL, START
        )
    ]
    assert "SidelightLabelDrift" in names
    counts = next(one for one in snapshot.counts if one.role == "label")
    assert sum(counts.observed) == 1000  # a counter: corrections do not count again


@pytest.mark.parametrize("labels", [["yes", "no"], [True, False], [1, 0]])
def test_labels_are_read_as_the_reference_writes_them(labels: list[str | bool | int]) -> None:
    draw = np.random.default_rng(0)
    truth = [labels[i] for i in draw.integers(0, 2, 1000)]
    rows = Rows({"x": draw.normal(size=1000)}, {"prediction": truth}, labels=truth)
    reference = build_from_columns(rows, created_at=0.0, task="binary")
    engine = Engine(EngineSettings(task="binary", window_seconds=600.0, drift=POLICY), reference)
    sent = ["yes", "no"] if labels[0] == "yes" else [1, 0]
    engine.label(
        [
            Joined(Prediction(f"{i}", 0, START, True), Label(f"{i}", 0, sent[i % 2], START, START))
            for i in range(400)
        ]
    )
    found = label_reading(engine.evaluate(START, WELL).snapshot)
    assert found.status is Status.OK
    assert not found.quality
