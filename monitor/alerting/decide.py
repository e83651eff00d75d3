"""Which columns have moved: surprise corrected over columns, a minimum effect, a budget over time.

Each column asks two questions: did its values move, and did the share of missing and invalid ones?
A movement is a `warning` when it is significant at the false discovery rate over all questions
asked now, and a `drift` when it is so surprising that the budget of false alerts a month allows it;
both must also be big enough to matter. Faults of the data itself are tested beside them, out of
the same budget; and all pairs of features together are one more question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.quality import Fault, faults
from monitor.profile.assess import Assessment
from monitor.profile.dependence import PairChanges
from monitor.profile.quality import Quality
from monitor.statistics.correction import benjamini_hochberg, per_look_level, strongest_of

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
    """What one look found: of values, of presence, each column's faults, and of all pairs."""

    values: Verdict
    presence: Verdict
    faults: Sequence[Sequence[Fault]]
    level: float  # the p-value at which one test at this look is worth an alert
    pairs: Verdict  # of one: the most surprising pair of columns that do not drift by themselves

    @property
    def quiet(self) -> bool:
        """No column drifts and no data is at fault; columns with a rule of their own not asked."""
        moved = (self.values, self.presence, self.pairs)
        return not (any(one.drift.any() for one in moved) or any(self.faults))


def decide(
    assessed: Assessment, quality: Quality, policy: DriftPolicy, pairs: PairChanges | None = None
) -> Findings:
    """The findings of one look; `pairs` is None where they are not tested."""
    pairs = pairs if pairs is not None and pairs.pairs else None
    level = _level(assessed, quality, policy, also=int(pairs is not None))
    found = faults(quality, level)
    rows = assessed.current.rows >= policy.min_rows
    enough = [one if some else [] for one, some in zip(found, rows.tolist(), strict=True)]
    values, presence, of_pairs = _moved(assessed, policy, level, pairs)
    return Findings(values, presence, enough, level, of_pairs)


def _level(assessed: Assessment, quality: Quality, policy: DriftPolicy, also: int) -> float:
    """The p-value at which one test at one look is worth an alert: every test counts."""
    now = assessed.current
    tests = (
        np.count_nonzero((now.valid_rows >= policy.min_rows) & ~np.isnan(assessed.p_value))
        + np.count_nonzero((now.rows >= policy.min_rows) & ~np.isnan(assessed.presence_p_value))
        + quality.tested
        + also
    )
    return per_look_level(
        policy.false_alerts_per_month,
        max(int(tests), 1),
        policy.window_seconds,
        policy.look_seconds,
    )


def widest_level(policy: DriftPolicy, tests: int) -> float:
    """The level of a look with so many tests: with more of them it is lower."""
    return per_look_level(
        policy.false_alerts_per_month, tests, policy.window_seconds, policy.look_seconds
    )


def _moved(
    assessed: Assessment, policy: DriftPolicy, level: float, pairs: PairChanges | None
) -> tuple[Verdict, Verdict, Verdict]:
    """All questions of all columns, and that of their pairs, are one family: they are corrected
    together."""
    now, columns = assessed.current, len(assessed.effect)
    enough = np.concatenate([now.valid_rows >= policy.min_rows, now.rows >= policy.min_rows])
    effect = np.concatenate([assessed.effect, assessed.presence_effect])
    p_value = np.concatenate([assessed.p_value, assessed.presence_p_value])
    effect = np.where(enough, effect, np.nan)
    p_value = np.where(enough, p_value, np.nan)
    alone = _drift(effect, p_value, policy, level)
    farthest = _strongest(pairs, alone[:columns] | alone[columns:])
    effect, p_value = np.append(effect, farthest[0]), np.append(p_value, farthest[1])
    drift = _drift(effect, p_value, policy, level)
    adjusted = np.nan_to_num(benjamini_hochberg(p_value), nan=1.0)
    warning = _big(effect, policy) & (adjusted <= policy.fdr)
    parts = slice(columns), slice(columns, 2 * columns), slice(2 * columns, None)
    first, second, third = (
        Verdict(effect[part], p_value[part], warning[part], drift[part]) for part in parts
    )
    return first, second, third


def _big(effect: Floats, policy: DriftPolicy) -> NDArray[np.bool_]:
    return np.asarray(np.nan_to_num(effect, nan=-1.0) >= policy.min_effect)


def _drift(effect: Floats, p_value: Floats, policy: DriftPolicy, level: float) -> NDArray[np.bool_]:
    return _big(effect, policy) & np.asarray(np.nan_to_num(p_value, nan=1.0) <= level)


def _strongest(pairs: PairChanges | None, alone: NDArray[np.bool_]) -> tuple[float, float]:
    """The effect and the p-value of all pairs as one test; NaN where there is none.

    A column that drifts by itself says so itself, whatever it does to its pairs.
    """
    if pairs is None:
        return np.nan, np.nan
    both = np.flatnonzero(~(alone[pairs.first] | alone[pairs.second]))
    if not len(both):
        return (np.nan if len(pairs.first) else pairs.farthest), 1.0
    effect = abs(float(pairs.now[both[0]] - pairs.before[both[0]]))
    return effect, strongest_of(float(pairs.p_value[both[0]]), pairs.pairs)
