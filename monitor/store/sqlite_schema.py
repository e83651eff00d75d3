"""The SQLite store's tables, and how an older file is brought up to them.

One row of `predictions` is one predicted row together with the label that counts for it: joining is
then one look-up and one change in place. `key` is a digest of the id, because ids are random and an
index of whole ids outgrows memory three times sooner. `at` finds what is too old,
`predictions_counted` what counted since.
"""

from __future__ import annotations

import sqlite3

from monitor.errors import StoreError

_VERSION_1 = (
    """CREATE TABLE models(
        model INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE(name,
        version))""",
    """CREATE TABLE predictions(
        seq INTEGER PRIMARY KEY, key INTEGER NOT NULL, row INTEGER NOT NULL, id TEXT NOT NULL,
        model INTEGER NOT NULL, at REAL NOT NULL, value, probabilities TEXT,
        label, observed_at REAL, received_at REAL, source TEXT)""",
    "CREATE UNIQUE INDEX predictions_key ON predictions(key, row)",
    "CREATE INDEX predictions_at ON predictions(at)",
    """CREATE INDEX predictions_counted ON predictions(max(at, received_at))
        WHERE received_at IS NOT NULL""",
    """CREATE TABLE parked(
        key INTEGER NOT NULL, row INTEGER NOT NULL, id TEXT NOT NULL,
        label, observed_at REAL NOT NULL, received_at REAL NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY(key, row)) WITHOUT ROWID""",
    "CREATE INDEX parked_received ON parked(received_at)",
    """CREATE TABLE history(
        key INTEGER NOT NULL, row INTEGER NOT NULL, label, observed_at REAL NOT NULL,
        received_at REAL NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY(key, row, observed_at, label)) WITHOUT ROWID""",
    "CREATE TABLE forgotten(key INTEGER PRIMARY KEY, at REAL NOT NULL)",
    "CREATE INDEX forgotten_at ON forgotten(at)",
    "CREATE TABLE documents(key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tallies(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO tallies VALUES('rows', 0), ('parked', 0)",
)

_VERSION_2 = ("ALTER TABLE predictions ADD COLUMN segments TEXT",)

# A label that says the same as another one counts again once the other's source is revoked: who
# said it is a part of what tells two of them apart. Ids deleted on request must not come back.
_VERSION_3 = (
    """CREATE TABLE told(
        key INTEGER NOT NULL, row INTEGER NOT NULL, label, observed_at REAL NOT NULL,
        received_at REAL NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY(key, row, observed_at, label, source)) WITHOUT ROWID""",
    "INSERT INTO told SELECT key, row, label, observed_at, received_at, source FROM history",
    "DROP TABLE history",
    "ALTER TABLE told RENAME TO history",
    "ALTER TABLE forgotten ADD COLUMN erased INTEGER NOT NULL DEFAULT 0",
    "INSERT INTO tallies VALUES('erased', 0)",
)

# A name's digest is the row's own number: no index beside the table. Without a key: more than one.
_VERSION_4 = (
    """CREATE TABLE aliases(
        alias INTEGER PRIMARY KEY, key INTEGER, rank INTEGER NOT NULL, at REAL NOT NULL)""",
    "CREATE INDEX aliases_at ON aliases(at)",
)

# What was joined since the last checkpoint: see `journal`. An entry's number never comes again.
_VERSION_5 = ("CREATE TABLE journal(entry INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)",)

MIGRATIONS = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
)  # MIGRATIONS[n] brings a file of version n to n + 1

_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA cache_size=-8192",  # the kernel caches the file too: more costs memory, saves no time
    "PRAGMA wal_autocheckpoint=16000",  # 64 MiB: random inserts share pages before they are written
    "PRAGMA journal_size_limit=134217728",
    "PRAGMA temp_store=MEMORY",
    """CREATE TEMP TABLE IF NOT EXISTS leaving(
        seq INTEGER PRIMARY KEY, key INTEGER, row INTEGER, at REAL)""",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Set a new connection up and migrate its file; StoreError for a file of a later release."""
    for setting in _SETTINGS:
        connection.execute(setting).fetchall()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        known = len(MIGRATIONS)
        raise StoreError(f"schema version {version} is a later release's; this one knows {known}")
    for number in range(version, len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number + 1}")
        connection.execute("COMMIT")


def model_number(connection: sqlite3.Connection, name: str, version: str) -> int:
    """The number by which predictions of this model and version are marked."""
    connection.execute(
        "INSERT INTO models(name, version) VALUES(?, ?) ON CONFLICT DO NOTHING", (name, version)
    )
    (number,) = connection.execute(
        "SELECT model FROM models WHERE name = ? AND version = ?", (name, version)
    ).fetchone()
    return int(number)
