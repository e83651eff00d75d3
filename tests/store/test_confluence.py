"""Order and repetition never show: permuted events give the same table and the same metrics."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records.batch import Batch
from monitor.records.label import Joined, Label
from monitor.statistics.performance import PerformanceSums
from monitor.store.sqlite import SqliteStore

IDS = ("a", "b", "c")

# Its time decides a label's value: values of one time are ordered by arrival, on purpose.
observed = st.integers(min_value=0, max_value=5)
label_events = st.tuples(st.sampled_from(IDS), st.integers(0, 1), observed)
prediction_events = st.tuples(st.sampled_from(IDS), st.integers(0, 1), st.none())
events = st.lists(st.one_of(label_events, prediction_events), min_size=1, max_size=12)

Event = tuple[str, int, int | None]


def value_at(prediction_id: str, row: int, time: int) -> float:
    """Few distinct values, so that the same one comes back at other times."""
    return (ord(prediction_id) + row + time * time) % 3 / 3 + 1e10 * (time == 4)


def replay(order: Iterable[Event]) -> tuple[object, object]:
    store = SqliteStore(Path(":memory:"))
    sums = PerformanceSums("regression")
    try:
        for arrival, (prediction_id, row, time) in enumerate(order):
            if time is None:
                value = 0.1 + row
                batch = Batch([prediction_id], [row], [100.0], {}, {"prediction": [value]})
                joined = store.remember([batch]).joined
            else:
                said = value_at(prediction_id, row, time)
                label = Label(prediction_id, row, said, float(time), 200.0 + arrival)
                joined = store.join([label]).joined
            for one in joined:
                count(sums, one)
        table = [
            (stored.prediction, stored.label and (stored.label.value, stored.label.observed_at))
            for prediction_id in IDS
            for stored in store.prediction(prediction_id)
        ]
    finally:
        store.close()
    return table, (sums.rows, sums.metrics())


def count(sums: PerformanceSums, one: Joined) -> None:
    if one.previous is not None:
        assert sums.remove(one.previous.value, one.prediction.value)
    if one.label is not None:
        assert sums.add(one.label.value, one.prediction.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_permutations_with_duplicates_give_the_same_table_and_metrics(data: st.DataObject) -> None:
    first = data.draw(events)
    repeated = data.draw(st.lists(st.sampled_from(first), max_size=6))
    second = data.draw(st.permutations(first + repeated))
    assert replay(second) == replay(first)


def test_every_order_of_a_prediction_a_label_and_a_correction() -> None:
    story: list[Event] = [("a", 0, None), ("a", 0, 1), ("a", 0, 4), ("a", 0, 1)]
    results = [replay(order) for order in itertools.permutations(story)]
    assert all(result == results[0] for result in results)
    assert results[0][1] == (1, _metrics_of(value_at("a", 0, 4), 0.1))


def _metrics_of(label: float, prediction: float) -> dict[str, float]:
    error = prediction - label
    return {"rmse": abs(error), "mae": abs(error), "mean_error": error}
