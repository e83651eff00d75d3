"""What the databases themselves can do: the same columns, indexes and durability, and no join.

Rows are made beforehand; only statements and commits are timed. This is the limit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from monitor.store.sqlite_schema import prepare
from monitor.store.values import key_of

T = TypeVar("T")


class RawSqlite:
    """The store's own tables, filled by plain statements."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
        prepare(self._connection)
        self._rows: list[list[tuple[Any, ...]]] = []
        self._labels: list[list[tuple[Any, ...]]] = []

    def ready(self, ids: Sequence[str], rows_at_once: int, labels_at_once: int) -> None:
        """Make all rows beforehand."""
        keys = [(key_of(one), one) for one in ids]
        self._rows = list(
            cut([(k, one, 0, 1e9, 1.5, None, None, 1) for k, one in keys], rows_at_once)
        )
        self._labels = list(cut([(2.5, 1e9, 1e9, "", k, 0) for k, _ in keys], labels_at_once))

    def predictions(self) -> None:
        """Insert all, without waiting for the disk."""
        self._connection.execute("PRAGMA synchronous=NORMAL")
        for rows in self._rows:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO predictions(key, id, row, at, value, probabilities, segments, model)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._connection.execute("COMMIT")

    def labels(self, requests: int) -> None:
        """Update so many requests' rows, each on the disk at its commit."""
        self._connection.execute("PRAGMA synchronous=FULL")
        for rows in self._labels[:requests]:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "UPDATE predictions SET label = ?, observed_at = ?, received_at = ?, source = ?"
                " WHERE key = ? AND row = ?",
                rows,
            )
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


class RawPostgres:
    """The store's own tables, filled by COPY and by UPDATE of many rows."""

    def __init__(self, dsn: str) -> None:
        options = "-c search_path=sidelight"
        self._connection = psycopg.connect(dsn, options=options)
        self._pieces: list[bytes] = []
        self._keys: list[list[int]] = []

    def ready(self, ids: Sequence[str], rows_at_once: int, labels_at_once: int) -> None:
        """Make all lines beforehand."""
        keys = [(key_of(one), one) for one in ids]
        lines = [f"{k}\t0\t{one}\t1\t1\t1000000000\t1.5\t\\N\t\\N\n" for k, one in keys]
        self._pieces = ["".join(piece).encode() for piece in cut(lines, rows_at_once)]
        self._keys = list(cut([k for k, _ in keys], labels_at_once))

    def predictions(self) -> None:
        """Copy all."""
        for piece in self._pieces:
            with self._connection.cursor().copy(
                "COPY predictions(key, row, id, model, replica, at, value, probabilities, segments)"
                " FROM STDIN"
            ) as copy:
                copy.write(piece)
            self._connection.commit()

    def labels(self, requests: int) -> None:
        """Update so many requests' rows, each on the disk at its commit."""
        for keys in self._keys[:requests]:
            self._connection.execute(
                "UPDATE predictions p SET label = '2.5', observed_at = 1e9, received_at = 1e9,"
                " source = '' FROM unnest(%s::bigint[]) AS w(key)"
                " WHERE p.key = w.key AND p.row = 0",
                (keys,),
            )
            self._connection.commit()

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()


def cut(rows: Sequence[T], size: int) -> Iterator[list[T]]:
    """Pieces of `size`."""
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])
