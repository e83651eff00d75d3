"""Every kind of store for the conformance tests; PostgreSQL is a real server, started once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from monitor.store.postgresql import PostgresStore
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from monitor.store.sqlite import SqliteStore
from tests.store.postgresql import Server, missing, server


class Backend:
    """One empty place to keep things in; stores of it are opened as often as a test likes."""

    def __init__(self, path: Path, dsn: str | None) -> None:
        self._path = path
        self._dsn = dsn
        self._opened: list[Store] = []

    @property
    def kind(self) -> str:
        return "sqlite" if self._dsn is None else "postgresql"

    def open(self, settings: StoreSettings | None = None, replica: str = "a") -> Store:
        kept = settings or StoreSettings()
        store: Store = (
            SqliteStore(self._path / "store.db", kept)
            if self._dsn is None
            else PostgresStore(self._dsn, replica, kept)
        )
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for all tests that only use it; those that hurt it start their own."""
    if why := missing():
        pytest.skip(why)
    with server() as running:
        yield running


def emptied(running: Server) -> str:
    """The server's address, after whatever was kept there is gone."""
    with contextlib.closing(psycopg.connect(running.dsn, autocommit=True)) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute("DROP SCHEMA IF EXISTS sidelight CASCADE")
    return running.dsn


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each kind of store, empty."""
    dsn = None
    if request.param == "postgresql":
        dsn = emptied(request.getfixturevalue("postgresql"))
    found = Backend(tmp_path, dsn)
    yield found
    found.close()


@pytest.fixture
def store(backend: Backend) -> Store:
    """A store of each kind, with a day of memory and room for three labels that wait."""
    return backend.open(StoreSettings(label_ttl_seconds=86_400.0, max_parked=3))
