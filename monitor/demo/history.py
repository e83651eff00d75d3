"""What the sidecar said over the length of a replay: which columns drifted, when, and how far.

Pure; fed with looks, knows nothing of where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from monitor.demo.sidecar import ColumnReading, Look

DRIFT = "drift"


@dataclass(slots=True)
class ColumnHistory:
    """One column's way through the replay; moments are departures of the flights then sent."""

    role: str
    method: str
    first_drift_at: pd.Timestamp
    peak_score: float
    peak_at: pd.Timestamp
    peak_threshold: float | None
    status: str

    def see(self, reading: ColumnReading, at: pd.Timestamp) -> None:
        """Take in one more reading."""
        self.status = reading.status
        if reading.score is not None and reading.score > self.peak_score:
            self.peak_score, self.peak_at = reading.score, at
            self.peak_threshold, self.method = reading.threshold, reading.method


@dataclass(slots=True)
class History:
    """Everything seen so far."""

    drifted: dict[tuple[str, str], ColumnHistory] = field(default_factory=dict)  # (role, column)
    columns: int = 0
    worst_rmse: float | None = None
    worst_rmse_at: pd.Timestamp | None = None
    latest: Look | None = None

    def see(self, look: Look, at: pd.Timestamp) -> None:
        """Take in a look of the moment in which the traffic had reached the departure `at`."""
        self.latest = look
        self.columns = len(look.columns)
        rmse = look.realised.get("rmse")
        if rmse is not None and (self.worst_rmse is None or rmse > self.worst_rmse):
            self.worst_rmse, self.worst_rmse_at = rmse, at
        for reading in look.columns:
            self._see_column(reading, at)

    def drifting_now(self) -> list[str]:
        """The columns whose newest status is drift."""
        return [name for (_, name), column in self.drifted.items() if column.status == DRIFT]

    def _see_column(self, reading: ColumnReading, at: pd.Timestamp) -> None:
        known = self.drifted.get((reading.role, reading.column))
        if known is not None:
            known.see(reading, at)
        elif reading.status == DRIFT and reading.score is not None:
            self.drifted[reading.role, reading.column] = ColumnHistory(
                role=reading.role,
                method=reading.method,
                first_drift_at=at,
                peak_score=reading.score,
                peak_at=at,
                peak_threshold=reading.threshold,
                status=reading.status,
            )
