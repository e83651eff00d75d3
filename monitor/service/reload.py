"""The configuration file while the monitor runs: watched, read again, and taken where it can be.

Only rules are taken: what they are applied to (addresses, windows, columns, receivers) stays as it
was at the start. A file with a fault changes nothing but what is reported. Knows no engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from monitor.config import Config, load
from monitor.errors import ConfigError
from monitor.snapshot import Reloads

log = structlog.get_logger()

LOOK_SECONDS = 0.5  # a change is taken at the second look: who writes a file may not be done yet

Stamp = tuple[int, int, int] | None  # what tells one content of a file from another


class ConfigFile:
    """The file that the sidecar was started with; without one, only the environment and flags."""

    def __init__(self, path: Path | None, flags: dict[str, Any], started_with: Config) -> None:
        self._path = path
        self._flags = flags
        self._taken = self._stamp()
        self.config = started_with
        self.reloads = Reloads()

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ConfigFile:
        """The file as it is now; the settings of the start where it has become invalid since."""
        path = document["config_path"]
        started_with = Config.model_validate(document["config"])
        file = cls(Path(path) if path else None, document["flags"], started_with)
        try:
            file.config = load(file._path, file._flags)
        except ConfigError as error:
            file._refuse(error)
        return file

    def reload(self) -> Config | None:
        """The configuration with the file's rules; None, and counted, where it has a fault."""
        self._taken = self._stamp()
        try:
            found = load(self._path, self._flags)
        except ConfigError as error:
            self._refuse(error)
            return None
        self.config, waiting = with_rules_of(self.config, found)
        self.reloads = Reloads(True, self.reloads.failures)
        log.info("configuration reloaded", needs_a_restart=waiting)
        return self.config

    async def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever the file has changed and come to rest; ends when cancelled."""
        before = self._taken
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = self._stamp()
            if now == before and now != self._taken:
                changed()
            before = now

    def _refuse(self, error: ConfigError) -> None:
        self.reloads = Reloads(False, self.reloads.failures + 1)
        log.warning("configuration not reloaded: the earlier one stays", error=str(error))

    def _stamp(self) -> Stamp:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return 0, 0, 0  # gone: not the same as having had no file
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


def with_rules_of(running: Config, found: Config) -> tuple[Config, list[str]]:
    """`running` with the rules of `found`, and which other settings of `found` differ from it."""
    alerts = {
        "for_seconds": found.alerts.for_seconds,
        "keep_firing_for": found.alerts.keep_firing_for,
    }
    performance = {
        "metrics": found.performance.metrics,
        "thresholds": found.performance.thresholds,
    }
    taken = running.model_copy(
        update={
            "drift": found.drift,
            "window": running.window.model_copy(update={"min_rows": found.window.min_rows}),
            "performance": running.performance.model_copy(update=performance),
            "alerts": running.alerts.model_copy(update=alerts),
        }
    )
    names = Config.model_fields
    return taken, [name for name in names if getattr(taken, name) != getattr(found, name)]
