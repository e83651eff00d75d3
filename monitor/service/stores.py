"""Which store is opened, and who this sidecar is to those that share it."""

from __future__ import annotations

import uuid
from importlib.util import find_spec
from pathlib import Path

from monitor.config import Config
from monitor.errors import StoreError
from monitor.service.priority import Turns
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from monitor.store.sqlite import SqliteStore

SQLITE = "sqlite"
DRIVER_MISSING = "PostgreSQL needs its driver: pip install 'sidelight[postgresql]'"


def store_settings(config: Config) -> StoreSettings:
    """What the store is told."""
    return StoreSettings(
        model=config.model.name,
        version=config.model.version,
        segments=config.performance.segments,
        label_ttl_seconds=config.performance.label_ttl,
        max_parked=config.limits.waiting_labels,
        max_bytes=config.limits.store_bytes,
    )


def open_store(config: Config) -> Store:
    """The configured store; the driver of another database is loaded only for it."""
    settings = store_settings(config)
    if config.store == SQLITE:
        return SqliteStore(config.data_dir / "sidelight.db", settings, pause=Turns())
    try:
        from monitor.store.postgresql import PostgresStore  # noqa: PLC0415 - 20 MB for those alone
    except ImportError:
        raise StoreError(DRIVER_MISSING) from None
    return PostgresStore(
        config.store, replica(config.data_dir), settings, answer_seconds=config.timeouts.store
    )


def store_faults(config: Config) -> list[tuple[str, str]]:
    """What can be known before anything is started."""
    if config.store != SQLITE and find_spec("psycopg_pool") is None:
        return [("store", DRIVER_MISSING)]
    return []


def replica(data_dir: Path) -> str:
    """This sidecar's name among those that share a database: made once, kept in its directory."""
    path = data_dir / "replica"
    try:
        if path.exists():
            return path.read_text("utf-8").strip()
        data_dir.mkdir(parents=True, exist_ok=True)
        name = str(uuid.uuid4())
        path.write_text(name + "\n", "utf-8")
    except (OSError, UnicodeError) as error:
        raise StoreError(f"cannot keep this replica's name: {error}") from None
    return name
