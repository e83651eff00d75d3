"""What a comparison says: frozen facts, and the rule that decides at one look.

There is no month here, only one look. A column drifts where it moved beyond chance, corrected over
all columns at `fdr` (Benjamini and Hochberg), and by at least `min_effect`; its data are at fault
where a fault is surprising at `fdr` over all tests (Bonferroni). That is what the live sidecar
calls `warning`, which is about one look too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.counts import Counts
from monitor.profile.details import Details
from monitor.profile.layout import Layout
from monitor.snapshot import Reading, Status
from monitor.statistics.correction import MONTH_SECONDS


@dataclass(frozen=True, slots=True)
class Rule:
    """How surprising, and how big, a movement must be; and how many rows say anything at all."""

    fdr: float = 0.01
    min_effect: float = 0.1
    min_rows: int = 100

    @property
    def policy(self) -> DriftPolicy:
        """The same at one look: a budget of `fdr` false alarms, all for this look."""
        return DriftPolicy(
            false_alerts_per_month=self.fdr,
            fdr=self.fdr,
            min_effect=self.min_effect,
            min_rows=self.min_rows,
            window_seconds=MONTH_SECONDS,
            look_seconds=MONTH_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class Standard:
    """A reference's columns with its counts, labels too: they came with the rows."""

    layout: Layout
    counts: Counts


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files."""

    path: Path
    rows: int
    digest: str = ""  # of a reference file

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Together:
    """What no column shows by itself: whether a model can tell reference from current; of a
    reference without rows, whether columns depend on each other as they did."""

    status: Status
    rows: int = 0  # of each side
    auc: float | None = None  # .5: it cannot; 1: always
    p_value: float | None = None
    threshold: float | None = None
    columns: tuple[tuple[str, float], ...] = ()  # which gave it away: AUC lost without it
    reason: str = ""  # why it was not asked
    score: float | None = None  # without a model: how far the reconstruction error has moved
    explanation: str = ""  # and which pairs of columns changed


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is known of two files."""

    reference: Side
    current: Side
    rule: Rule
    standard: Standard
    counts: Counts  # the current file's
    readings: tuple[Reading, ...]  # what drifts first
    together: Together
    absent: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # in the reference, and not named in the current file

    @property
    def drifted(self) -> tuple[Reading, ...]:
        """Columns that drift."""
        return tuple(one for one in self.readings if one.status is Status.DRIFT)

    @property
    def faulty(self) -> tuple[Reading, ...]:
        """Columns whose data are at fault."""
        return tuple(one for one in self.readings if one.quality)

    @property
    def insufficient(self) -> bool:
        """Whether no column has rows enough."""
        return all(one.status is Status.INSUFFICIENT for one in self.readings)

    @property
    def drift(self) -> bool:
        """Whether anything has moved, or is at fault."""
        return bool(self.drifted or self.faulty or self.together.status is Status.DRIFT)


def judge(standard: Standard, current: Counts, rule: Rule, details: Details) -> tuple[Reading, ...]:
    """The readings of one look, what drifts first, then what is at fault."""
    readings = Judge(standard).readings(current, rule.policy, details)
    decided = [
        replace(one, status=Status.DRIFT) if one.status is Status.WARNING else one
        for one in readings
    ]
    return tuple(sorted(decided, key=_urgency))


def _urgency(reading: Reading) -> tuple[bool, bool, float]:
    drifts = reading.status is Status.DRIFT
    return not drifts, not reading.quality, -(reading.score or 0.0) if drifts else 0.0
