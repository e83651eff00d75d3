"""Panes as documents: what was saved and what came after make the window that would have been."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.policy import DriftPolicy
from monitor.engine import Engine, EngineSettings
from monitor.panes import PaneDocuments
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.counts import Counts
from monitor.profile.details import Details
from monitor.profile.reference import Reference
from monitor.records.batch import Batch
from monitor.snapshot import Health, Snapshot
from monitor.windows import Window

START = 1_000_000_050.0
WELL = Health(observing=True)
SETTINGS = EngineSettings(
    model="m",
    window_seconds=600.0,
    pane_seconds=60.0,
    drift=DriftPolicy(window_seconds=600.0, look_seconds=60.0),
)


def _reference(seed: int = 1) -> Reference:
    source = random.Random(seed)
    x = [source.gauss(0, 1) for _ in range(2000)]
    kind = [source.choice("ab") for _ in range(2000)]
    return build_from_columns(Rows({"x": x, "kind": kind}, {"prediction": x}), created_at=0.0)


def _batch(seed: int, at: float) -> Batch:
    source = random.Random(seed)
    x = [source.gauss(0.3, 1) for _ in range(200)]
    kind = [source.choice("abz") for _ in range(200)]
    times = [at + source.random() * 300 for _ in range(200)]
    ids = [str(n) for n in range(200)]
    return Batch(ids, [0] * 200, times, {"x": x, "kind": kind}, {"prediction": x})


def _said(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.window_rows, snapshot.readings


def _saved(engine: Engine) -> dict[str, object]:
    assert engine.panes is not None
    read: dict[str, object] = json.loads(json.dumps(engine.panes.changed()))
    return read


def _restored(engine: Engine, documents: dict[str, object]) -> int:
    assert engine.panes is not None
    return engine.panes.restore(documents)


def test_a_restart_goes_on_with_the_same_window() -> None:
    whole, first, second = (Engine(SETTINGS, _reference()) for _ in range(3))
    for engine in (whole, first):
        engine.observe(_batch(1, START))
        engine.evaluate(START + 300, WELL)
    assert _restored(second, _saved(first)) == 200
    for engine in (whole, second):
        engine.observe(_batch(2, START + 200))
    later = START + 480
    assert _said(second.evaluate(later, WELL).snapshot) == _said(
        whole.evaluate(later, WELL).snapshot
    )
    # The window has moved past the first panes: restored ones leave it like any others.
    later = START + 720
    assert _said(second.evaluate(later, WELL).snapshot) == _said(
        whole.evaluate(later, WELL).snapshot
    )


def test_only_what_changed_is_saved_again() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(1, START))
    assert len(_saved(engine)) == 6  # five minutes, begun within one
    assert _saved(engine) == {}
    engine.observe(Batch(["a"], [0], [START], {"x": [0.5], "kind": ["a"]}, {"prediction": [0.5]}))
    assert len(_saved(engine)) == 1
    again = Engine(SETTINGS, _reference())
    assert _restored(again, {}) == 0
    assert _saved(again) == {}


def test_panes_of_another_reference_or_pane_size_are_left_alone() -> None:
    engine = Engine(SETTINGS, _reference())
    engine.observe(_batch(1, START))
    documents = _saved(engine)
    assert _restored(Engine(SETTINGS, _reference(seed=2)), documents) == 0
    other = EngineSettings(model="m", window_seconds=600.0, pane_seconds=30.0)
    assert _restored(Engine(other, _reference()), documents) == 0


def test_slots_hold_the_window_however_long_it_runs() -> None:
    engine = Engine(SETTINGS, _reference())
    store: dict[str, object] = {}
    at = START
    for minute in range(60):
        at = START + 60 * minute
        engine.observe(Batch(["a"], [0], [at], {"x": [0.5], "kind": ["a"]}, {"prediction": [0.5]}))
        engine.evaluate(at, WELL)
        store |= _saved(engine)
    assert len(store) == 11
    again = Engine(SETTINGS, _reference())
    _restored(again, store)
    assert again.evaluate(at, WELL).snapshot.window_rows == 10


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.dictionaries(
    st.sampled_from(["reference", "pane_seconds", "pane", "rows", "cells", "moments", "unseen"]),
    st.sampled_from(["d", 60.0, 1, "", "AAAA", [], None, [["a"]]]),
))  # fmt: skip
def test_a_document_that_is_none_is_left_alone(document: object) -> None:
    identity = Counts(0, np.zeros(3, np.int64), np.zeros((1, 3)))
    counts = Window(identity, 600.0, 60.0)
    panes = PaneDocuments("d", counts, Window(Details(), 600.0, 60.0))
    assert panes.restore({"pane 1": document}) == 0
    assert len(counts) == 0


@pytest.mark.parametrize("pane_seconds", [60.0, 0.1, 7.0])
def test_a_pane_goes_back_where_it_was(pane_seconds: float) -> None:
    first = Window(0, 10 * pane_seconds, pane_seconds)
    for step in range(10):
        first.add(START + step * pane_seconds, step + 1)
    second = Window(0, 10 * pane_seconds, pane_seconds)
    for key, value in first.panes().items():
        second.restore(key, value)
    assert second.panes() == first.panes()
