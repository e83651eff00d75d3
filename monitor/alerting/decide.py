"""Which columns have moved: surprise corrected over columns, a minimum effect, a budget over time.

Each column asks two questions: did its values move, and did the share of missing and invalid ones?
A movement is a `warning` when it is significant at the false discovery rate over all questions
asked now, and a `drift` when it is so surprising that the budget of false alerts a month allows it;
both must also be big enough to matter. Faults of the data itself are tested beside them, out of
the same budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.quality import Fault, faults
from monitor.profile.assess import Assessment
from monitor.profile.quality import Quality
from monitor.statistics.correction import benjamini_hochberg, per_look_level

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """A column's own rule: drift from `threshold` of `method` on, whatever the surprise."""

    method: str | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """The numbers that decide."""

    false_alerts_per_month: float = 1.0
    fdr: float = 0.01
    min_effect: float = 0.1
    min_rows: int = 100
    window_seconds: float = 3600.0
    look_seconds: float = 60.0
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question's answer in every column, as arrays over columns."""

    effect: Floats
    p_value: Floats
    warning: NDArray[np.bool_]
    drift: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found: of values, of presence, and each column's faults."""

    values: Verdict
    presence: Verdict
    faults: Sequence[Sequence[Fault]]
    level: float  # the p-value at which one test at this look is worth an alert

    @property
    def quiet(self) -> bool:
        """No column drifts and no data is at fault; columns with a rule of their own not asked."""
        return not (self.values.drift.any() or self.presence.drift.any() or any(self.faults))


def decide(assessed: Assessment, quality: Quality, policy: DriftPolicy) -> Findings:
    """The findings of one look."""
    level = _level(assessed, quality, policy)
    found = faults(quality, level)
    rows = assessed.current.rows >= policy.min_rows
    enough = [one if some else [] for one, some in zip(found, rows.tolist(), strict=True)]
    return Findings(*_moved(assessed, policy, level), enough, level)


def _level(assessed: Assessment, quality: Quality, policy: DriftPolicy) -> float:
    """The p-value at which one test at one look is worth an alert: every test counts."""
    now = assessed.current
    tests = (
        np.count_nonzero((now.valid_rows >= policy.min_rows) & ~np.isnan(assessed.p_value))
        + np.count_nonzero((now.rows >= policy.min_rows) & ~np.isnan(assessed.presence_p_value))
        + quality.tested
    )
    return per_look_level(
        policy.false_alerts_per_month,
        max(int(tests), 1),
        policy.window_seconds,
        policy.look_seconds,
    )


def widest_level(policy: DriftPolicy) -> float:
    """The level of a look with one test only: no other look's is higher."""
    return per_look_level(
        policy.false_alerts_per_month, 1, policy.window_seconds, policy.look_seconds
    )


def _moved(assessed: Assessment, policy: DriftPolicy, level: float) -> tuple[Verdict, Verdict]:
    """Both questions of all columns are one family: they are corrected together."""
    now = assessed.current
    enough = np.concatenate([now.valid_rows >= policy.min_rows, now.rows >= policy.min_rows])
    effect = np.concatenate([assessed.effect, assessed.presence_effect])
    p_value = np.concatenate([assessed.p_value, assessed.presence_p_value])
    effect = np.where(enough, effect, np.nan)
    p_value = np.where(enough, p_value, np.nan)
    big = np.nan_to_num(effect, nan=-1.0) >= policy.min_effect
    warning = big & (np.nan_to_num(benjamini_hochberg(p_value), nan=1.0) <= policy.fdr)
    drift = big & (np.nan_to_num(p_value, nan=1.0) <= level)
    half = len(assessed.effect)
    first = Verdict(effect[:half], p_value[:half], warning[:half], drift[:half])
    return first, Verdict(effect[half:], p_value[half:], warning[half:], drift[half:])
