"""Which columns have moved: surprise corrected over columns, a minimum effect, a budget over time.

Each column asks two questions: did its values move, and did the share of missing and invalid ones?
A movement is a `warning` when it is significant at the false discovery rate over all questions
asked now, and a `drift` when it is so surprising that the budget of false alerts a month allows it;
both must also be big enough to matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.explain import explain, quality_faults
from monitor.profile.assess import Assessment, Assessor
from monitor.profile.counts import Counts
from monitor.profile.layout import ColumnProfile, Layout
from monitor.profile.reference import Reference
from monitor.snapshot import BinShare, Reading, Status
from monitor.statistics.correction import benjamini_hochberg, per_look_level

PRESENCE = "presence"  # the method's name where the share of missing or invalid values decides

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
class _Verdict:
    """One question's answer in every column, as arrays over columns."""

    effect: Floats
    p_value: Floats
    warning: NDArray[np.bool_]
    drift: NDArray[np.bool_]


class Judge:
    """Reads a window against one reference; holds what does not change between looks."""

    def __init__(self, reference: Reference) -> None:
        self._layout = reference.layout
        self._assessor = Assessor(reference.layout, reference.counts)
        self._shares = _published_shares(reference.counts, reference.layout)

    def readings(self, current: Counts, policy: DriftPolicy) -> tuple[Reading, ...]:
        """A reading of every column."""
        assessed = self._assessor.assess(current)
        values, presence = _decide(assessed, policy)
        shares = _published_shares(current, self._layout)
        return tuple(
            _shown(
                _reading(index, profile, assessed, (values, presence), policy),
                self._bins(index, profile, shares),
            )
            for index, profile in enumerate(self._layout.columns)
        )

    def _bins(self, index: int, profile: ColumnProfile, shares: Floats) -> tuple[BinShare, ...]:
        part = self._layout.bin_slice(index)
        before, after = self._shares[part].tolist(), shares[part].tolist()
        return tuple(map(BinShare, profile.bins, before, after))


def _decide(assessed: Assessment, policy: DriftPolicy) -> tuple[_Verdict, _Verdict]:
    """Both questions of all columns are one family: they are corrected together."""
    now = assessed.current
    enough = np.concatenate([now.valid_rows >= policy.min_rows, now.rows >= policy.min_rows])
    effect = np.concatenate([assessed.effect, assessed.presence_effect])
    p_value = np.concatenate([assessed.p_value, assessed.presence_p_value])
    effect = np.where(enough, effect, np.nan)
    p_value = np.where(enough, p_value, np.nan)
    level = per_look_level(
        policy.false_alerts_per_month,
        max(int(np.count_nonzero(~np.isnan(p_value))), 1),
        policy.window_seconds,
        policy.look_seconds,
    )
    big = np.nan_to_num(effect, nan=-1.0) >= policy.min_effect
    warning = big & (np.nan_to_num(benjamini_hochberg(p_value), nan=1.0) <= policy.fdr)
    drift = big & (np.nan_to_num(p_value, nan=1.0) <= level)
    half = len(assessed.effect)
    first = _Verdict(effect[:half], p_value[:half], warning[:half], drift[:half])
    return first, _Verdict(effect[half:], p_value[half:], warning[half:], drift[half:])


def _reading(
    index: int,
    profile: ColumnProfile,
    assessed: Assessment,
    verdicts: tuple[_Verdict, _Verdict],
    policy: DriftPolicy,
) -> Reading:
    column, now, before = profile.column, assessed.current, assessed.reference
    rows = int(now.rows[index])
    decision = _own_rule(index, column.name, assessed, policy) or _budget(
        index, assessed.methods[index], verdicts, policy
    )
    known = decision.status is not Status.INSUFFICIENT
    return Reading(
        column=column.name,
        role=column.role.value,
        kind=column.kind.value,
        status=decision.status,
        method=decision.method,
        rows=rows,
        score=decision.score if known else None,
        threshold=decision.threshold if known else None,
        p_value=decision.p_value if known else None,
        scores=_scores(index, assessed) if known else {},
        missing_ratio=_optional(now.missing_ratio[index]),
        mean=_optional(now.mean[index]),
        stddev=_optional(now.stddev[index]),
        reference_mean=_optional(before.mean[index]),
        reference_stddev=_optional(before.stddev[index]),
        reference_missing_ratio=_optional(before.missing_ratio[index]),
        quality=quality_faults(assessed, index, column.kind) if rows >= policy.min_rows else (),
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is published of a column's verdicts."""

    status: Status
    method: str
    score: float | None
    threshold: float
    p_value: float | None


def _budget(
    index: int, method: str, verdicts: tuple[_Verdict, _Verdict], policy: DriftPolicy
) -> _Decision:
    """The worse of the two questions decides; of values, where neither is worse."""
    values, presence = verdicts
    verdict = values
    if _severity(presence, index) > _severity(values, index) or np.isnan(values.effect[index]):
        method, verdict = PRESENCE, presence
    score, p_value = _optional(verdict.effect[index]), _optional(verdict.p_value[index])
    status = Status.OK if score is not None else Status.INSUFFICIENT
    if verdict.drift[index]:
        status = Status.DRIFT
    elif verdict.warning[index]:
        status = Status.WARNING
    return _Decision(status, method, score, policy.min_effect, p_value)


def _own_rule(index: int, name: str, assessed: Assessment, policy: DriftPolicy) -> _Decision | None:
    """A configured threshold of a configured method, where there is one and rows enough."""
    rule = policy.columns.get(name)
    if rule is None or rule.threshold is None or assessed.current.rows[index] < policy.min_rows:
        return None
    method = rule.method or assessed.methods[index]
    score = _scores(index, assessed).get(method)
    if score is None:
        return None
    status = Status.DRIFT if score >= rule.threshold else Status.OK
    return _Decision(status, method, score, rule.threshold, _optional(assessed.p_value[index]))


def _shown(reading: Reading, bins: tuple[BinShare, ...]) -> Reading:
    """The reading with its bins, and what they say where it moved."""
    moved = reading.status in {Status.WARNING, Status.DRIFT}
    return replace(reading, bins=bins, explanation=explain(reading.column, bins) if moved else "")


def _scores(index: int, assessed: Assessment) -> dict[str, float]:
    return {
        name: float(array[index])
        for name, array in assessed.scores.items()
        if not np.isnan(array[index])
    }


def _severity(verdict: _Verdict, index: int) -> int:
    return int(verdict.warning[index]) + 2 * int(verdict.drift[index])


def _published_shares(counts: Counts, layout: Layout) -> Floats:
    """Shares of all rows in each published bin, flat over columns."""
    binned = layout.bin_counts(counts).astype(np.float64)
    return binned / counts.rows if counts.rows else binned


def _optional(value: float | np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
