"""Values that are hard to keep: they come back as they were, from every kind of store."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records.batch import Batch
from monitor.records.label import Label, Outcome
from monitor.store.postgresql_cells import from_json, to_json
from monitor.store.protocol import Store
from monitor.store.values import from_cell, to_cell

HARD_VALUES = [
    0.1, -0.0, 5e-324, 1.7e308, 0, -(2**63), 2**63 - 1, True, False, "", "cat", "a\x00b", "é", "1",
]  # fmt: skip


def label(prediction_id: str, value: float | str, row: int = 0, at: float = 50.0) -> Label:
    return Label(prediction_id, row, value, at, at)


@pytest.mark.parametrize("value", HARD_VALUES, ids=ascii)
def test_values_come_back_as_they_were(value: float | str, store: Store) -> None:
    batch = Batch(["a"], [0], [1.0], {}, {"prediction": [value]}, {"é\x00": [0.25], "b": [None]})
    store.remember([batch])
    store.join([label("a", value)])
    (stored,) = store.prediction("a")
    assert stored.prediction is not None
    assert stored.label is not None
    for read in (stored.prediction.value, stored.label.value):
        assert (type(read), repr(read)) == (type(value), repr(value))
    assert stored.prediction.probabilities == {"é\x00": 0.25}


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none(), st.binary()))
def test_no_value_fails_and_every_finite_one_keeps_its_meaning(value: object) -> None:
    cell = to_cell(value)
    sqlite3.connect(":memory:").execute("SELECT ?", (cell,)).fetchone()
    if isinstance(value, (str, bool)):
        assert from_cell(cell) == value
    if isinstance(value, int):
        assert from_cell(cell) in {value, str(value)}
    assert from_json(to_json(value)) == from_cell(cell)


@pytest.mark.parametrize("value", [2**64, -(10**400), 10**6000], ids=["2**64", "e400", "e6000"])
def test_long_whole_numbers_are_kept_apart(value: int, store: Store) -> None:
    store.remember([Batch(["a"], [0], [1.0], {}, {"prediction": [value]}, {"x": [value]})])
    report = store.join([label("a", value), label("a", value), label("a", value + 1, at=51.0)])
    assert report.outcomes == (Outcome.JOINED, Outcome.DUPLICATE, Outcome.CORRECTED)
    assert report.joined[0].label is not None
    assert report.joined[0].label.value == report.joined[0].prediction.value


def test_lone_surrogates_are_replaced_everywhere(store: Store) -> None:
    bad = "x\ud800y"
    store.remember([Batch([bad], [0], [1.0], {}, {"prediction": [bad]}, {bad: [1.0]})])
    report = store.join([Label(bad, 0, bad, 1.0, 1.0, bad)])
    assert report.outcomes == (Outcome.JOINED,)
    assert report.joined[0].label is not None
    assert report.joined[0].prediction.value == report.joined[0].label.value == "x?y"
    assert store.prediction(bad)[0].label == report.joined[0].label


def test_columns_may_be_arrays_and_what_is_missing_is_none(store: Store) -> None:
    batch = Batch(
        ["a"] * 3,
        np.arange(3),  # type: ignore[arg-type]  # arrays are sequences to all who index
        np.array([1.0, 2.0, 3.0]),  # type: ignore[arg-type]
        {},
        {"prediction": np.array([1.5, np.nan, np.inf])},  # type: ignore[dict-item]
        {"1": np.array([0.5, np.nan, 1.0])},  # type: ignore[dict-item]
    )
    assert store.remember([batch]).conflicts == 0
    kept = [stored.prediction for stored in store.prediction("a") if stored.prediction]
    assert [(one.row, one.value, one.probabilities) for one in kept] == [
        (0, 1.5, {"1": 0.5}),
        (1, None, {}),
        (2, None, {"1": 1.0}),
    ]
