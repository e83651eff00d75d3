"""Other names of a prediction, on every kind of store: labels join, or are refused, under each."""

from __future__ import annotations

import itertools

import hypothesis
from hypothesis import strategies as st

from monitor.records.alias import Alias, Given
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.store.aliases import AMBIGUOUS, Meaning, Name, meanings
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from tests.store.conftest import Backend

NOON = 1_780_000_000.0
DAY = 86_400.0


def predicted(
    prediction_id: str,
    *values: object,
    at: float = NOON,
    names: tuple[str, ...] = (),
    given: Given = Given.BODY,
) -> Batch:
    count = len(values)
    aliases = [Alias(name, prediction_id, given, at) for name in names]
    ids, times = [prediction_id] * count, [at] * count
    return Batch(ids, range(count), times, {}, {"prediction": values}, aliases=aliases)


def label(prediction_id: str, value: float, *, row: int = 0, after: float = 60.0) -> Label:
    return Label(prediction_id, row, value, NOON + after, NOON + after)


def test_a_label_joins_under_each_name_and_by_its_row(store: Store) -> None:
    store.remember([predicted("a", 10.0, 20.0, names=("order-7", "trace"))])
    report = store.join([label("order-7", 21.5, row=1), label("trace", 9.0), label("a", 9.0)])
    assert report.outcomes == (Outcome.JOINED, Outcome.JOINED, Outcome.DUPLICATE)
    assert report.joined == (
        Joined(Prediction("a", 1, NOON, 20.0), label("a", 21.5, row=1)),
        Joined(Prediction("a", 0, NOON, 10.0), label("a", 9.0)),
    )
    assert store.prediction("trace") == store.prediction("order-7") == store.prediction("a")
    assert store.parked() == 0


def test_a_correction_under_another_name_replaces(store: Store) -> None:
    store.remember([predicted("a", 10.0, names=("x",))])
    store.join([label("a", 9.0)])
    report = store.join([label("x", 11.0, after=90)])
    assert report.outcomes == (Outcome.CORRECTED,)
    new, old = label("a", 11.0, after=90), label("a", 9.0)
    assert report.joined == (Joined(Prediction("a", 0, NOON, 10.0), new, old),)


def test_a_name_of_two_predictions_joins_neither(store: Store) -> None:
    store.remember([predicted("a", 1.0, names=("trace", "x")), predicted("b", 2.0)])
    store.remember([predicted("c", 3.0, names=("trace",), at=NOON + 1)])
    report = store.join([label("trace", 9.0), label("x", 9.0), label("b", 9.0)])
    assert report.outcomes == (Outcome.REJECTED, Outcome.JOINED, Outcome.JOINED)
    assert report.rejected == {0: AMBIGUOUS}
    assert (store.parked(), store.prediction("trace")) == (0, [])
    erased = store.erase("trace", NOON)
    assert (erased.ambiguous, erased.rows, store.rows()) == (True, 0, 3)
    store.remember([predicted("d", 3.0, names=("trace",), at=NOON + 2)])
    assert store.rows() == 4


def test_the_stronger_place_decides_whose_name_it_is_in_any_order(store: Store) -> None:
    places = {"a": Given.TRACE, "b": Given.BODY, "c": Given.TRACE}
    for number, order in enumerate(itertools.permutations(places)):
        name = f"x{number}"
        for one in order:
            batch = predicted(f"{one}{number}", 1.0, names=(name,), given=places[one])
            store.remember([batch])
        assert store.join([label(name, 9.0)]).outcomes == (Outcome.JOINED,)
        assert store.prediction(f"b{number}")[0].label == label(f"b{number}", 9.0)


def test_an_id_comes_before_any_other_name(store: Store) -> None:
    store.remember([predicted("a", 1.0, names=("b",)), predicted("b", 2.0, names=("c",))])
    assert store.join([label("b", 9.0)]).outcomes == (Outcome.JOINED,)
    assert [one.label for one in store.prediction("b")] == [label("b", 9.0)]
    assert store.prediction("a")[0].label is None
    assert store.erase("b", NOON).rows == 1
    assert len(store.prediction("a")) == 1


def test_an_early_label_under_another_name_joins_when_its_prediction_lands(store: Store) -> None:
    early, corrected = label("x", 9.0, after=-5), label("x", 9.5, after=-4)
    store.join([early, corrected, label("x", 1.0, row=7)])
    assert store.parked() == 2
    remembered = store.remember([predicted("a", 10.0, names=("y", "x"))])
    told = label("a", 9.5, after=-4)
    assert remembered.joined == (Joined(Prediction("a", 0, NOON, 10.0), told),)
    assert store.parked() == 1  # there is no eighth row
    (stored,) = (one for one in store.prediction("a") if one.prediction is not None)
    assert (stored.label, stored.history) == (told, (label("a", 9.0, after=-5),))
    assert store.join([label("x", 9.5, after=-4)]).outcomes == (Outcome.DUPLICATE,)


def test_labels_that_waited_under_two_names_are_joined_together(store: Store) -> None:
    store.join([label("a", 1.0, after=-9), label("x", 2.0, after=-3), label("y", 3.0, after=-6)])
    joined = store.remember([predicted("a", 10.0, names=("x", "y"))]).joined
    assert joined[-1].label == label("a", 2.0, after=-3)
    assert store.parked() == 0
    (stored,) = store.prediction("a")
    assert stored.history == (label("a", 3.0, after=-6), label("a", 1.0, after=-9))


def test_a_label_that_waits_under_an_ambiguous_name_goes_on_waiting(store: Store) -> None:
    store.join([label("trace", 9.0, after=-5)])
    batches = [predicted(one, 1.0, names=("trace",)) for one in "ab"]
    assert store.remember(batches).joined == ()
    assert store.parked() == 1
    assert store.expire(NOON + DAY).orphaned == 1


def test_names_of_a_prediction_that_was_not_kept_are_not_those_of_the_first(store: Store) -> None:
    store.remember([predicted("a", 1.0, names=("x",))])
    again = predicted("a", 2.0, names=("y",), at=NOON + 1)
    assert store.remember([again, predicted("b", 2.0, names=("z",))]).conflicts == 1
    outcomes = store.join([label(name, 9.0) for name in "xyz"]).outcomes
    assert outcomes == (Outcome.JOINED, Outcome.PENDING, Outcome.JOINED)


def test_a_name_goes_when_the_mark_of_its_prediction_does(store: Store) -> None:
    store.remember([predicted("a", 1.0, names=("x",))])
    assert store.expire(NOON + DAY + 1).predictions == 1
    assert store.join([label("x", 9.0)]).outcomes == (Outcome.EXPIRED,)
    store.expire(NOON + 2 * DAY + 2)
    assert store.join([label("x", 9.0)]).outcomes == (Outcome.PENDING,)


def test_names_are_forgotten_in_small_steps(store: Store) -> None:
    names = [f"n{number}" for number in range(12_000)]
    store.remember([predicted("a", 1.0, names=tuple(names))])
    now = NOON + 2 * DAY + 1
    steps = [store.expire(now)]
    while steps[-1].more:
        steps.append(store.expire(now))
    assert 1 < len(steps) < 10
    assert store.join([label(names[0], 1.0), label(names[-1], 1.0)]).count(Outcome.PENDING) == 2


def test_deleting_by_another_name_deletes_the_prediction_under_every_name(store: Store) -> None:
    store.remember([predicted("a", 1.0, 2.0, names=("x", "y"))])
    store.join([label("y", 9.0)])
    erased = store.erase("x", NOON + 90)
    assert (erased.rows, erased.labels) == (2, 1)
    assert erased.joined == (Joined(Prediction("a", 0, NOON, 1.0), None, label("a", 9.0)),)
    assert store.rows() == 0
    assert set(store.join([label(name, 9.0) for name in "axy"]).outcomes) == {Outcome.EXPIRED}


def test_what_was_deleted_under_another_name_before_it_came_does_not_come(store: Store) -> None:
    store.join([label("a", 1.0, after=-5), label("y", 1.0, after=-5)])
    store.erase("x", NOON)
    batches = [predicted("a", 1.0, names=("x", "y")), predicted("b", 2.0, names=("z",))]
    assert store.remember(batches).joined == ()
    assert (store.rows(), store.parked()) == (1, 0)
    assert store.join([label("a", 1.0)]).outcomes == (Outcome.EXPIRED,)


def test_names_are_there_after_reopening(store: Store, backend: Backend) -> None:
    store.remember([predicted("a", 10.0, names=("x",))])
    store.close()
    again = backend.open(StoreSettings())
    assert again.join([label("x", 9.0)]).outcomes == (Outcome.JOINED,)


rules = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 2), st.floats(0, 9)),
    min_size=1,
    max_size=8,
)


@hypothesis.given(data=st.data())
def test_what_names_mean_is_the_same_in_any_order(data: st.DataObject) -> None:
    rows = data.draw(rules)
    names = [Name(alias, key, rank, at, str(key)) for alias, key, rank, at in rows]
    found = meanings(names)
    assert meanings(data.draw(st.permutations(names + names[:3]))) == found
    for alias, meaning in found.items():
        own = [one for one in names if one.alias == alias]
        best = min(one.rank for one in own)
        keys = {one.key for one in own if one.rank == best}
        one_key = keys.pop() if len(keys) == 1 else None
        assert meaning == Meaning(one_key, best, max(one.at for one in own))
