"""Order and repetition never show: permuted events give the same table and the same metrics."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.records.alias import Alias, Given
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label
from monitor.statistics.performance import PerformanceSums
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from tests.store.conftest import Backend

IDS = ("a", "b", "c")
ALIAS = "'"  # of an id: the other name of its prediction
DELETION = "deletion"
PREDICTION = "prediction"

# Its time decides a label's value: values of one time are ordered by arrival, on purpose.
times = st.integers(min_value=0, max_value=5)
names = st.sampled_from(IDS + tuple(one + ALIAS for one in IDS))
events = st.lists(
    st.one_of(
        st.tuples(names, st.integers(0, 1), times),
        st.tuples(st.sampled_from(IDS), st.integers(0, 1), st.just(PREDICTION)),
        st.tuples(names, st.just(0), st.just(DELETION)),
    ),
    min_size=1,
    max_size=12,
)

Event = tuple[str, int, int | str]  # a prediction is told by its id; the others by any name
numbers = itertools.count()


def value_at(prediction_id: str, row: int, time: int) -> float:
    """Few distinct values, so that the same one comes back at other times."""
    return (ord(prediction_id) + row + time * time) % 3 / 3 + 1e10 * (time == 4)


def replay(store: Store, order: Iterable[Event]) -> tuple[object, tuple[int, dict[str, float]]]:
    """The table and the metrics after these events, under ids that nobody has used before."""
    run = next(numbers)
    sums = PerformanceSums("regression")
    for arrival, event in enumerate(order):
        for one in _happen(store, run, arrival, event):
            count(sums, one)
    table = [
        (
            name,
            stored.prediction and (stored.prediction.row, stored.prediction.value),
            stored.label and (stored.label.value, stored.label.observed_at),
        )
        for prediction_id in IDS
        for name in (prediction_id, prediction_id + ALIAS)
        for stored in store.prediction(f"{run}-{name}")
    ]
    return table, (sums.rows, sums.metrics())


def _happen(store: Store, run: int, arrival: int, event: Event) -> tuple[Joined, ...]:
    prediction_id, row, what = event
    name = f"{run}-{prediction_id}"
    if what == DELETION:
        return store.erase(name, 200.0).joined
    if what == PREDICTION:
        alias = Alias(name + ALIAS, name, Given.BODY, 100.0)
        batch = Batch([name], [row], [100.0], {}, {"prediction": [0.1 + row]}, aliases=[alias])
        return store.remember([batch]).joined
    assert isinstance(what, int)
    said = value_at(prediction_id[0], row, what)
    return store.join([Label(name, row, said, float(what), 200.0 + arrival, str(what % 2))]).joined


def count(sums: PerformanceSums, one: Joined) -> None:
    if one.previous is not None:
        assert sums.remove(one.previous.value, one.prediction.value)
    if one.label is not None:
        assert sums.add(one.label.value, one.prediction.value)


@pytest.fixture
def shuffled(backend: Backend) -> Store:
    return backend.open(StoreSettings())


@settings(
    max_examples=45,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every replay has ids of its own
)
@given(data=st.data())
def test_permutations_with_duplicates_give_the_same_table_and_metrics(
    shuffled: Store, data: st.DataObject
) -> None:
    first = data.draw(events)
    repeated = data.draw(st.lists(st.sampled_from(first), max_size=6))
    second = data.draw(st.permutations(first + repeated))
    assert replay(shuffled, second) == replay(shuffled, first)


def test_every_order_of_a_prediction_a_label_and_a_correction(shuffled: Store) -> None:
    story: list[Event] = [("a", 0, PREDICTION), ("a", 0, 1), ("a", 0, 4), ("a", 0, 1)]
    results = [replay(shuffled, order) for order in itertools.permutations(story)]
    assert all(result == results[0] for result in results)
    rows, metrics = results[0][1]
    assert rows == 1
    error = 0.1 - value_at("a", 0, 4)
    assert metrics["mean_error"] == error
    assert metrics["rmse"] == metrics["mae"] == abs(error)


def test_every_order_of_labels_under_either_name_gives_one_table(shuffled: Store) -> None:
    story: list[Event] = [("a", 0, PREDICTION), ("a", 0, 1), ("a'", 0, 3), ("a'", 0, 4)]
    results = [replay(shuffled, order) for order in itertools.permutations(story)]
    assert all(result == results[0] for result in results)
    assert results[0][1][0] == 1
    assert results[0][1][1]["mae"] == abs(0.1 - value_at("a", 0, 4))


@pytest.mark.parametrize("name", ["a", "a'"])
def test_every_order_with_a_deletion_by_either_name_leaves_nothing(
    shuffled: Store, name: str
) -> None:
    story: list[Event] = [("a", 0, PREDICTION), ("a", 0, 1), ("a'", 0, 4), (name, 0, DELETION)]
    results = [replay(shuffled, order) for order in itertools.permutations(story)]
    assert all(result == ([], (0, {})) for result in results)


def test_every_order_with_a_deletion_leaves_nothing(shuffled: Store) -> None:
    story: list[Event] = [("a", 0, PREDICTION), ("a", 0, 1), ("a", 0, 4), ("a", 0, DELETION)]
    results = [replay(shuffled, order) for order in itertools.permutations(story)]
    assert all(result == ([], (0, {})) for result in results)
