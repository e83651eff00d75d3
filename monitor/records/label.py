"""Ground truth as it is posted, and what joining it with its prediction gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = float | int | bool | str


class Outcome(StrEnum):
    """What became of one posted label."""

    JOINED = "joined"  # its prediction is known: it counts
    PENDING = "pending"  # no prediction yet: parked
    DUPLICATE = "duplicate"  # already known: nothing changed
    CORRECTED = "corrected"  # replaced an older label of the same prediction
    EXPIRED = "expired"  # older than the retention of its prediction
    ORPHANED = "orphaned"  # parked until its time ran out
    REJECTED = "rejected"  # not a label at all


@dataclass(frozen=True, slots=True)
class Label:
    """The actual outcome of one predicted row."""

    prediction_id: str
    row: int
    value: Value
    observed_at: (
        float  # Unix seconds: when the outcome became known; decides which correction is newest
    )
    received_at: float  # Unix seconds: when it was posted
    source: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One predicted row as the join knows it."""

    prediction_id: str
    row: int
    at: float  # Unix seconds
    value: Value | None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)  # column → value, as configured


@dataclass(frozen=True, slots=True)
class Joined:
    """A prediction that met its label; `previous` is the label that no longer counts.

    A label that was taken out (its source revoked, its prediction deleted) leaves `label` None.
    """

    prediction: Prediction
    label: Label | None
    previous: Label | None = None
