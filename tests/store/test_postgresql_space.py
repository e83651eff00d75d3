"""A database without room, and one at the other end of a line that went dead: refused within
bounds, nothing half kept, and nothing twice once it is over.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome
from monitor.store.postgresql import PostgresStore
from monitor.store.protocol import JoinReport
from tests.store.conftest import emptied
from tests.store.postgresql import Server

AT_ONCE = 4_000
SMALL, LARGE = "size=4m", "size=64m"


def predicted(name: str, rows: int) -> Batch:
    ids = [f"{name}-{row}" for row in range(rows)]
    return Batch(ids, [0] * rows, [1e9] * rows, {}, {"prediction": [1.0] * rows})


def labels(name: str, rows: int) -> list[Label]:
    return [Label(f"{name}-{row}", 0, 2.0, 1e9, 1e9) for row in range(rows)]


class Line:
    """A TCP proxy; when it is cut it takes whatever comes, and says nothing."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()

    def mend(self) -> None:
        """New connections go through; those that were cut stay so, as after a lost route."""
        self._cut.clear()

    def close(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                if self._cut.is_set():
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets.append(server)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self._cut.is_set():
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_a_line_that_went_dead_is_an_error_in_time_and_nothing_is_told_twice(
    postgresql: Server,
) -> None:
    emptied(postgresql)
    with closing(Line(postgresql.port)) as line:
        url = f"postgresql://sidelight@127.0.0.1:{line.port}/postgres"
        with closing(PostgresStore(url, "a", answer_seconds=0.5)) as store:
            told: list[Joined] = []
            store.remember([predicted("x", 20)])
            told += store.join(labels("x", 10)).joined
            line.cut()
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(StoreError):
                    store.join(labels("x", 20))
                with pytest.raises(StoreError):
                    store.remember([predicted("y", 5)])
                assert time.monotonic() - began < 20.0  # of a busy machine; a dead line is for ever
            line.mend()
            report = _again(store)
            told += report.joined
            assert set(report.outcomes) <= {Outcome.JOINED, Outcome.DUPLICATE}
            told += store.news()
            assert sorted(one.prediction.prediction_id for one in told) == sorted(
                f"x-{row}" for row in range(20)
            )
            assert len(list(store.joined_since(0.0))) == 20


def _again(store: PostgresStore) -> JoinReport:
    deadline = time.monotonic() + 30
    while True:
        try:
            return store.join(labels("x", 20))
        except StoreError:
            assert time.monotonic() < deadline


def _fill(store: PostgresStore) -> int:
    """How many batches there is room for."""
    for kept in range(100):
        try:
            store.remember([predicted(f"b{kept}", AT_ONCE)])
        except StoreError:
            return kept
    return 100


@pytest.fixture
def small(postgresql: Server) -> Iterator[Path]:
    """A file system of its own for the tables, with hardly any room."""
    place = postgresql.folder / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", SMALL, "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip("a file system cannot be mounted here: it takes root's rights")
    owner = postgresql.folder.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    emptied(postgresql)
    with closing(psycopg.connect(postgresql.dsn, autocommit=True)) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
        connection.execute("ALTER ROLE sidelight SET default_tablespace = small")
        try:
            yield place
        finally:
            connection.execute("ALTER ROLE sidelight RESET default_tablespace")
            emptied(postgresql)
            connection.execute("CHECKPOINT")
            connection.execute("DROP TABLESPACE small")
            subprocess.run(["umount", str(place)], check=True)
            place.rmdir()


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(
    postgresql: Server, small: Path
) -> None:
    with closing(PostgresStore(postgresql.dsn, "a")) as store:
        kept = _fill(store)
        assert 0 < kept < 100
        with pytest.raises(StoreError, match="No space left"):
            store.remember([predicted("more", AT_ONCE)])
        assert store.rows() == kept * AT_ONCE
        subprocess.run(["mount", "-o", f"remount,{LARGE}", str(small)], check=True)
        remembered = store.remember([predicted(f"b{kept}", AT_ONCE)])
        assert remembered.conflicts == 0  # nothing of it had stayed
        assert store.rows() == (kept + 1) * AT_ONCE
        report = store.join(labels(f"b{kept}", 500) + labels("b0", 500))
        assert set(report.outcomes) == {Outcome.JOINED}
        assert len(report.joined) == 1000
