"""A PostgreSQL server that ends, stands still, or loses an answer: bounded waits, nothing told
twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Label, Outcome
from monitor.store.postgresql import PostgresStore
from tests.store.postgresql import Server, missing, server

ANSWER_SECONDS = 1.0


def predicted(prediction_id: str, rows: int = 1) -> Batch:
    values = [1.0] * rows
    return Batch([prediction_id] * rows, range(rows), [1e9] * rows, {}, {"prediction": values})


def label(prediction_id: str, row: int = 0) -> Label:
    return Label(prediction_id, row, 2.0, 1e9, 1e9)


@pytest.fixture
def hurt() -> Iterator[Server]:
    """A server of the test's own, that it may hurt."""
    if why := missing():
        pytest.skip(why)
    with server() as running:
        yield running


@pytest.fixture
def store(hurt: Server) -> Iterator[PostgresStore]:
    opened = PostgresStore(hurt.dsn, "a", answer_seconds=ANSWER_SECONDS)
    yield opened
    opened.close()


def again(store: PostgresStore, labels: list[Label]) -> tuple[Outcome, ...]:
    """Post until it is taken: the pool connects anew by itself."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return store.join(labels).outcomes
        except StoreError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("away", ["stop", "kill", "freeze"])
def test_an_absent_server_is_an_error_within_bounds_and_nothing_is_lost_or_doubled(
    hurt: Server, store: PostgresStore, away: str
) -> None:
    store.remember([predicted("x", 10)])
    kept = [label("x", row) for row in range(5)]
    store.join(kept)
    getattr(hurt, away)()
    for attempt in range(2):
        began = time.monotonic()
        with pytest.raises(StoreError):
            store.join([label("x", 5)])
        with pytest.raises(StoreError):
            store.remember([predicted("y")])
        bound = 30.0 if attempt == 0 else 15.0  # a busy machine: what matters is that it ends
        assert time.monotonic() - began < bound
    hurt.thaw() if away == "freeze" else hurt.start()
    assert again(store, [label("x", 5)])[0] in {Outcome.JOINED, Outcome.DUPLICATE}
    assert again(store, kept) == (Outcome.DUPLICATE,) * 5
    assert len(list(store.joined_since(0.0))) == 6
    assert store.remember([predicted("y")]).conflicts in {0, 1}
    assert [one.prediction is not None for one in store.prediction("y")] == [True]


def test_a_commit_whose_answer_is_lost_is_told_once(
    hurt: Server, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.remember([predicted("x", 2)])
    commit = psycopg.Connection.commit

    def lost(connection: psycopg.Connection) -> None:
        commit(connection)
        connection.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(psycopg.Connection, "commit", lost)
    with pytest.raises(StoreError, match="lost"):
        store.join([label("x")])
    monkeypatch.undo()
    assert store.join([label("x")]).outcomes == (Outcome.DUPLICATE,)  # the sender tries again
    told = store.news()
    assert [one.label for one in told] == [label("x")]
    assert store.news() == ()


def test_a_commit_that_was_none_is_not_told(
    hurt: Server, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.remember([predicted("x")])

    def lost(connection: psycopg.Connection) -> None:
        connection.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(psycopg.Connection, "commit", lost)
    with pytest.raises(StoreError, match="lost"):
        store.join([label("x")])
    monkeypatch.undo()
    assert store.news() == ()
    report = store.join([label("x")])
    assert (report.outcomes, len(report.joined)) == ((Outcome.JOINED,), 1)


def test_a_server_that_is_not_there_is_an_error_that_says_so() -> None:
    with pytest.raises(StoreError, match=r"(?i)refused"):
        PostgresStore("postgresql://nobody@127.0.0.1:9/none", "a", answer_seconds=2.0)
