"""The PostgreSQL store's tables, made and migrated by the program, in a schema of their own.

One row of `predictions` is one predicted row with the label that counts, as in SQLite; a label that
waits is such a row without a time `at`. So the primary key alone decides which of two replicas came
first, prediction or label, and neither can miss the other. Values are JSON text, which keeps 1,
1.0, true and "1" apart. `aliases` are other names of predictions, without a key where several have
the name. `news` is what a replica is told of its own predictions by the others.
"""

from __future__ import annotations

import psycopg

from monitor.errors import StoreError

_LOCK = 0x51DE11647  # one program migrates at a time; any number that is nobody else's will do

_VERSION_1 = """
CREATE TABLE models(
    model integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, version text,
    UNIQUE(name, version));
CREATE TABLE replicas(
    replica integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE,
    seen_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE predictions(
    key bigint, row bigint, id text NOT NULL, model integer, replica integer,
    at double precision, value text, probabilities text, segments text,
    label text, observed_at double precision, received_at double precision, source text,
    PRIMARY KEY(key, row)) WITH (fillfactor = 85);
CREATE INDEX predictions_at ON predictions(at);
CREATE INDEX predictions_counted ON predictions(greatest(at, received_at))
    WHERE label IS NOT NULL AND at IS NOT NULL;
CREATE INDEX predictions_parked ON predictions(received_at) WHERE at IS NULL;
CREATE TABLE history(
    key bigint NOT NULL, row bigint NOT NULL, label text NOT NULL,
    observed_at double precision NOT NULL, received_at double precision NOT NULL,
    source text NOT NULL);
CREATE UNIQUE INDEX history_said ON history(key, row, observed_at, md5(label), source);
CREATE TABLE forgotten(
    key bigint PRIMARY KEY, at double precision NOT NULL, erased boolean NOT NULL DEFAULT false);
CREATE INDEX forgotten_at ON forgotten(at);
CREATE INDEX forgotten_erased ON forgotten(key) WHERE erased;
CREATE TABLE news(
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, replica integer NOT NULL,
    model integer NOT NULL, body text NOT NULL);
CREATE INDEX news_replica ON news(replica, seq);
CREATE TABLE documents(
    replica integer, key text, body text NOT NULL, PRIMARY KEY(replica, key));
CREATE TABLE tallies(
    replica integer PRIMARY KEY, rows bigint NOT NULL DEFAULT 0, parked bigint NOT NULL DEFAULT 0);
"""

_VERSION_2 = """
CREATE TABLE aliases(
    alias bigint PRIMARY KEY, key bigint, rank smallint NOT NULL, at double precision NOT NULL);
CREATE INDEX aliases_at ON aliases(at);
"""

MIGRATIONS = (_VERSION_1, _VERSION_2)  # MIGRATIONS[n] brings a schema of version n to n + 1

_MODEL = """INSERT INTO models(name, version) VALUES(%s, %s)
    ON CONFLICT(name, version) DO UPDATE SET name = excluded.name RETURNING model"""
_REPLICA = """INSERT INTO replicas(name) VALUES(%s)
    ON CONFLICT(name) DO UPDATE SET seen_at = now() RETURNING replica"""
_TALLY = "INSERT INTO tallies(replica) VALUES(%s) ON CONFLICT DO NOTHING"


def prepare(connection: psycopg.Connection) -> None:
    """Bring the schema up to this program's version; StoreError for one of a later release."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    connection.execute("CREATE SCHEMA IF NOT EXISTS sidelight")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version(version integer NOT NULL)")
    found = connection.execute("SELECT version FROM schema_version").fetchone()
    version = found[0] if found else 0
    if version > len(MIGRATIONS):
        known = len(MIGRATIONS)
        raise StoreError(f"schema version {version} is a later release's; this one knows {known}")
    if version < len(MIGRATIONS):
        for number in range(version, len(MIGRATIONS)):
            connection.execute(MIGRATIONS[number].encode())
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES(%s)", (len(MIGRATIONS),))
    connection.commit()


def enrol(connection: psycopg.Connection, model: tuple[str, str], replica: str) -> tuple[int, int]:
    """The numbers by which this model and this replica are known."""
    numbers = (
        _number(connection.execute(_MODEL, model)),
        _number(connection.execute(_REPLICA, (replica,))),
    )
    connection.execute(_TALLY, (numbers[1],))
    connection.commit()
    return numbers


def _number(cursor: psycopg.Cursor) -> int:
    row = cursor.fetchone()
    if row is None:
        raise StoreError("the database gave no number")
    return int(row[0])
