"""Connections to PostgreSQL of which every wait has an end, whatever became of the server.

Knows no table. A server that stands still, or a network that lost it, answers nothing at all: the
time-out is the client's own.
"""

from __future__ import annotations

import logging
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from monitor.errors import StoreError

RV = TypeVar("RV")

CONNECTIONS = 2
AGAIN_SECONDS = 0.5  # once it has failed, nobody waits longer: connecting goes on meanwhile
_SESSION = (
    "-c client_encoding=UTF8 -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
    " -c search_path=sidelight,pg_temp -c timezone=UTC -c synchronous_commit=on"
)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that gives up waiting after `answer_seconds`."""

    answer_seconds = 5.0
    last_fault = ""  # why the last attempt to connect failed: the pool itself only says that it did

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:  # noqa: ANN401 - as the base
        """Connect, and remember what was in the way."""
        try:
            connection = super().connect(conninfo, **kwargs)
        except psycopg.Error as error:
            cls.last_fault = " ".join(str(error).split())
            raise
        cls.last_fault = ""
        return connection

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server, but not for ever."""
        return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)


class Database:
    """A small pool: it connects anew by itself, and checks a connection before it is used."""

    def __init__(self, url: str, answer_seconds: float) -> None:
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # faults are counted and told
        self._answer_seconds = answer_seconds
        self._connection_class = type(
            "Connection", (BoundedConnection,), {"answer_seconds": answer_seconds}
        )
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            open=False,
            connection_class=self._connection_class,
            kwargs={
                "connect_timeout": max(2, round(answer_seconds)),
                "options": _SESSION,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "application_name": "sidelight",
            },
            check=ConnectionPool.check_connection,
            reconnect_timeout=2 * answer_seconds,
            num_workers=1,
        )
        self._is_down = False
        self._pool.open()

    def take(self) -> psycopg.Connection:
        """A connection that answers; StoreError where there is none in time."""
        try:
            connection = self._pool.getconn(
                AGAIN_SECONDS if self._is_down else self._answer_seconds
            )
        except PoolClosed:
            raise StoreError("it is closed") from None
        except PoolTimeout:
            self._is_down = True
            why = self._connection_class.last_fault or "the database does not answer"  # type: ignore[attr-defined]
            raise StoreError(why) from None
        self._is_down = False
        return connection

    def give_back(self, connection: psycopg.Connection) -> None:
        """Done with it; one that failed is closed, and replaced."""
        self._pool.putconn(connection)

    def close(self) -> None:
        """Release everything."""
        self._pool.close(timeout=1.0)
