"""How the store stands, for whoever reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.records.label import Outcome


@dataclass(frozen=True, slots=True)
class WriterCounts:
    """What the store holds, and what has become of what it was given since the start."""

    rows: int = 0
    parked: int = 0
    queued_rows: int = 0
    errors: int = 0
    erased_rows: int = 0  # predictions of ids that were deleted on request
    dropped_rows: int = 0  # predictions that could not be kept: queue full, or the store failed
    conflicts: int = 0  # predictions whose id and row were taken
    expired_predictions: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    error: str = ""  # why the last use of the store failed; empty once one has succeeded
