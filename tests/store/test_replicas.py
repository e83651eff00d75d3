"""Sidecars that share a PostgreSQL database: a label may reach any, and counts once, at its
owner's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from monitor.errors import StoreError
from monitor.records.alias import Alias, Given
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.statistics.performance import PerformanceSums
from monitor.store.postgresql import PostgresStore
from monitor.store.postgresql_join import ABSENT_SECONDS
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from monitor.store.values import key_of
from tests.store.conftest import Backend, emptied
from tests.store.postgresql import Server

NOON = 1_780_000_000.0


def predicted(prediction_id: str, *values: object) -> Batch:
    count = len(values)
    return Batch([prediction_id] * count, range(count), [NOON] * count, {}, {"prediction": values})


def label(prediction_id: str, value: float, *, row: int = 0, after: float = 60.0) -> Label:
    return Label(prediction_id, row, value, NOON + after, NOON + after)


@pytest.fixture
def shared(postgresql: Server, tmp_path: Path) -> Iterator[Backend]:
    found = Backend(tmp_path, emptied(postgresql))
    yield found
    found.close()


def test_a_label_posted_to_another_replica_is_told_to_its_owner_once(shared: Backend) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    owner.remember([predicted("x", 10.0)])
    first, second = label("x", 9.0), label("x", 11.0, after=90)
    report = other.join([first])
    assert (report.outcomes, report.joined) == ((Outcome.JOINED,), ())
    assert other.join([second]).outcomes == (Outcome.CORRECTED,)
    prediction = Prediction("x", 0, NOON, 10.0)
    assert owner.news() == (Joined(prediction, first), Joined(prediction, second, first))
    assert (owner.news(), other.news()) == ((), ())
    assert [one.label for one in owner.joined_since(0.0)] == [second]
    assert list(other.joined_since(0.0)) == []


def test_a_label_under_another_name_reaches_the_owner(shared: Backend) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    assert other.join([label("order", 9.0, after=-5)]).outcomes == (Outcome.PENDING,)
    told = Joined(Prediction("x", 0, NOON, 10.0), label("x", 9.0, after=-5))
    batch = predicted("x", 10.0)
    alias = Alias("order", "x", Given.BODY, NOON)
    assert owner.remember([replace(batch, aliases=[alias])]).joined == (told,)
    assert other.join([label("order", 11.0)]).outcomes == (Outcome.CORRECTED,)
    assert owner.news() == (Joined(told.prediction, label("x", 11.0), told.label),)
    assert owner.parked() == 0


def test_what_passed_a_name_in_another_transaction_finds_it_in_the_end(
    shared: Backend, postgresql: Server
) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    owner.remember([predicted("x", 10.0), predicted("y", 20.0)])
    other.join([label("order", 9.0)])
    other.erase("gone", NOON)
    with psycopg.connect(postgresql.dsn) as connection:  # committed after both had looked for them
        for name, of in (("order", "x"), ("gone", "y")):
            row = (key_of(name), key_of(of), 0, NOON)
            connection.execute("INSERT INTO sidelight.aliases VALUES(%s, %s, %s, %s)", row)
    other.expire(NOON + 60)
    assert owner.news() == (Joined(Prediction("x", 0, NOON, 10.0), label("x", 9.0)),)
    assert (other.parked(), len(owner.prediction("x"))) == (0, 1)
    assert owner.prediction("y") == []


def test_deletion_and_revocation_reach_the_owner(shared: Backend) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    owner.remember([predicted("x", 10.0), predicted("y", 20.0)])
    said = [label("x", 9.0), label("y", 21.0)]
    owner.join(said)
    assert other.erase("x", NOON).joined == ()
    assert other.revoke("", NOON + 1e6).joined == ()
    gone = [Prediction("x", 0, NOON, 10.0), Prediction("y", 0, NOON, 20.0)]
    assert owner.news() == tuple(
        Joined(prediction, None, previous) for prediction, previous in zip(gone, said, strict=True)
    )


def test_a_restart_counts_what_was_told_and_what_was_not_once(shared: Backend) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    owner.remember([predicted("x", 10.0, 20.0)])
    other.join([label("x", 9.0)])
    again = shared.open(replica="a")
    restored = list(again.joined_since(0.0))
    assert [one.label for one in restored] == [label("x", 9.0)]
    assert again.news() == ()
    other.join([label("x", 19.0, row=1)])
    assert [one.label for one in again.news()] == [label("x", 19.0, row=1)]


def test_a_label_parked_by_one_replica_joins_at_the_other(shared: Backend) -> None:
    owner, other = shared.open(replica="a"), shared.open(replica="b")
    assert other.join([label("x", 9.0)]).outcomes == (Outcome.PENDING,)
    (joined,) = owner.remember([predicted("x", 10.0)]).joined
    assert joined.label == label("x", 9.0)
    assert (owner.news(), other.news()) == ((), ())
    other.news()
    assert (owner.rows(), owner.parked()) == (1, 0)


def test_the_first_label_of_a_replica_that_is_gone_is_counted_by_who_takes_it(
    shared: Backend, postgresql: Server
) -> None:
    gone, other = shared.open(replica="a"), shared.open(replica="b")
    gone.remember([predicted("x", 10.0, 20.0)])
    gone.join([label("x", 9.0)])
    gone.close()
    with psycopg.connect(postgresql.dsn) as connection:
        connection.execute(
            "UPDATE sidelight.replicas SET seen_at = now() - make_interval(secs => %s)"
            " WHERE name = 'a'",
            (ABSENT_SECONDS + 1,),
        )
    report = other.join([label("x", 8.0, after=99), label("x", 21.0, row=1)])
    assert [one.prediction.row for one in report.joined] == [1]
    assert [one.prediction.row for one in other.joined_since(0.0)] == [1]
    back = shared.open(replica="a")
    restored = [one.label and one.label.value for one in back.joined_since(0.0)]
    assert restored == [8.0]  # its own, as corrected meanwhile; the adopted one is not its any more


def test_replicas_at_once_join_each_row_once_and_their_sums_add_up(shared: Backend) -> None:
    """Two replicas predict and post everything to both, in other orders, at the same time."""
    stores = [shared.open(replica=name) for name in "ab"]
    told: list[list[Joined]] = [[], []]
    ids = [f"r{number}" for number in range(400)]

    def work(index: int) -> None:
        chance = random.Random(index)
        for start in range(0, len(ids), 50):
            mine = [one for one in ids[start : start + 50] if int(one[1:]) % 2 == index]
            labels = [label(one, float(one[1:])) for one in ids[start : start + 50]]
            labels += [label(one, float(one[1:]) + 1, after=99) for one in mine]
            chance.shuffle(labels)
            told[index] += stores[index].join(labels).joined
            told[index] += stores[index].remember([predicted(one, 0.0) for one in mine]).joined
            told[index] += stores[index].news()

    with ThreadPoolExecutor() as both:
        list(both.map(work, range(2)))
    for index, store in enumerate(stores):
        told[index] += store.news()
        sums = PerformanceSums("regression")
        for one in told[index]:
            assert int(one.prediction.prediction_id[1:]) % 2 == index
            if one.previous is not None:
                sums.remove(one.previous.value, one.prediction.value)
            if one.label is not None:
                sums.add(one.label.value, one.prediction.value)
        values = [float(one[1:]) + 1 for one in ids if int(one[1:]) % 2 == index]
        assert sums.rows == 200
        assert sums.metrics()["mae"] == pytest.approx(sum(values) / 200, rel=1e-12)
    assert _totals(stores[0]) == (400, 0)


def _totals(store: Store) -> tuple[int, int]:
    assert isinstance(store, PostgresStore)
    store._transactions.read_tallies()
    return store.rows(), store.parked()


def test_documents_are_each_replicas_own(shared: Backend) -> None:
    first, second = shared.open(replica="a"), shared.open(replica="b")
    first.put_document("ledger", {"of": "a"})
    assert (first.get_document("ledger"), second.get_document("ledger")) == ({"of": "a"}, None)


def test_replicas_that_start_at_once_make_one_schema(shared: Backend) -> None:
    with ThreadPoolExecutor() as many:
        opened = list(many.map(lambda name: shared.open(replica=name), "abcd"))
    assert [store.rows() for store in opened] == [0] * 4


def test_a_schema_of_a_later_release_is_refused(shared: Backend, postgresql: Server) -> None:
    shared.open().close()
    with psycopg.connect(postgresql.dsn) as connection:
        connection.execute("UPDATE sidelight.schema_version SET version = 99")
    with pytest.raises(StoreError, match="later release"):
        shared.open()


def test_only_the_oldest_go_where_the_table_is_too_large(shared: Backend) -> None:
    store = shared.open(StoreSettings(max_bytes=150 * 6_000))
    store.remember([predicted("x", *range(8_000))])
    for _ in range(10):
        store.expire(NOON)
    assert 0 < store.rows() <= 6_000
