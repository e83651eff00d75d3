"""What is published: the newest snapshot, by one assignment, and how scores went until then."""

from __future__ import annotations

from monitor.history import ScoreHistory
from monitor.snapshot import Snapshot


class Publication:
    """The one place that exporters, API and page read."""

    def __init__(self, first: Snapshot, history: ScoreHistory) -> None:
        self._snapshot = first
        self.history = history

    def newest(self) -> Snapshot:
        """The newest snapshot: the same object until there is a newer one."""
        return self._snapshot

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot as a whole."""
        self._snapshot = snapshot
        self.history.note(snapshot)
