"""Reads a window against its reference: what was decided, as readings that people can act on.

What is wrong is decided in `decide`; here it gets its scores, its bins and its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.alerting import unexpected
from monitor.alerting.changes import name_change
from monitor.alerting.decide import ColumnRule, DriftPolicy, Findings, Verdict, decide, widest_level
from monitor.alerting.explain import explain
from monitor.alerting.quality import LEAST_EFFECT, Fault, describe
from monitor.alerting.ranking import ranked
from monitor.alerting.together import Dependence
from monitor.profile.assess import CORRELATION, PRESENCE, Assessment, Assessor
from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.details import Details
from monitor.profile.grid import CategoryGrid, NumericGrid
from monitor.profile.layout import Layout
from monitor.profile.projection import Products
from monitor.profile.quality import Quality, QualityAssessor
from monitor.snapshot import BinShare, Reading, Status

__all__ = ["PRESENCE", "Baseline", "ColumnRule", "DriftPolicy", "Judge"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Names = Mapping[tuple[str, str], Sequence[str]]


class Baseline(Protocol):
    """What a window is read against: a reference, a segment of it, or its labels."""

    @property
    def layout(self) -> Layout:
        """Whose cells."""
        ...

    @property
    def counts(self) -> Counts:
        """What is accepted in them."""
        ...


class Judge:
    """Reads a window against one reference; holds what does not change between looks."""

    def __init__(self, reference: Baseline) -> None:
        self._layout = reference.layout
        self._counts = reference.counts
        self._assessor = Assessor(self._layout, self._counts)
        self._quality = QualityAssessor(self._layout, self._counts)
        self._dependence = Dependence(self._layout, self._counts)
        self._shares = _published_shares(self._counts, self._layout)

    def readings(
        self,
        current: Counts,
        policy: DriftPolicy,
        details: Details | None = None,
    ) -> tuple[Reading, ...]:
        """A reading of every column, and of those that the reference does not know; `details` is
        what the window holds beside its counts."""
        details = details or Details()
        assessed, quality = self._assess(current)
        pairs = self._dependence.pairs(details.products, policy)
        found = decide(assessed, quality, policy, self._dependence.tested(pairs))
        readings = [
            _reading(index, profile, assessed, found, policy)
            for index, profile in enumerate(self._layout.columns)
        ]
        self._dependence.ask(readings, found, policy)
        self._explain(readings, assessed, current)
        self._dependence.explain(readings, pairs, policy.fdr)
        self._estimate_distinct(readings, current, details)
        for index, faults in enumerate(found.faults):
            if faults:
                readings[index] = self._faulty(
                    readings[index], index, faults, quality, details.unseen
                )
        if current.rows >= policy.min_rows:
            readings += unexpected.readings(
                details.unexpected, current.rows, self._counts.rows, found.level
            )
        return ranked(readings)

    def findings(
        self, current: Counts, policy: DriftPolicy, products: Products | None = None
    ) -> Findings:
        """What `readings` rests on, without words: for whoever looks many times."""
        pairs = self._dependence.pairs(products, policy)
        return decide(*self._assess(current), policy, self._dependence.tested(pairs))

    def candidates(
        self,
        cells: Codes,
        rows: Codes,
        policy: DriftPolicy,
        products: Floats | None = None,
        *,
        warnings: bool = False,
    ) -> NDArray[np.bool_]:
        """Which of many looks, `cells[looks, total]`, `rows[looks]` and sums of products
        `[looks, p + 1, p + 1]`, are worth a reading: all in which something drifts or is at fault
        (or warns, if `warnings` are asked for), and seldom another."""
        if policy.columns:
            return np.ones(len(rows), dtype=np.bool_)  # a rule of its own needs the scores
        tests = self._assessor.least_tests(cells, rows, policy.min_rows)
        level = widest_level(policy, max(tests, 1))
        level = max(level, policy.fdr) if warnings else level
        values, presence = self._assessor.p_values(cells, rows, policy.min_effect)
        faulty, frozen = self._quality.p_values(cells, rows, LEAST_EFFECT)
        p = np.concatenate([values, presence, faulty.reshape(len(rows), -1)], axis=1)
        worth = np.asarray((np.nan_to_num(p, nan=1.0) <= level).any(axis=1) | frozen)
        pairs = None if products is None else self._dependence.candidates(products, policy, level)
        return worth if pairs is None else worth | pairs

    def _assess(self, current: Counts) -> tuple[Assessment, Quality]:
        return self._assessor.assess(current), self._quality.assess(current)

    def _explain(self, readings: list[Reading], assessed: Assessment, current: Counts) -> None:
        """Adds to each reading its bins, and to those that moved, what they say."""
        before, after = self._shares.tolist(), _published_shares(current, self._layout).tolist()
        for index, reading in enumerate(readings):
            part, profile = self._layout.bin_slice(index), self._layout.columns[index]
            bins = tuple(map(BinShare, profile.bins, before[part], after[part]))
            words = ""
            moved = reading.status in {Status.WARNING, Status.DRIFT}
            if moved and reading.method != CORRELATION:
                change = self._change(index, reading.method, assessed, current)
                words = explain(profile.column.title, bins, change)
            readings[index] = replace(reading, bins=bins, explanation=words)

    def _change(self, index: int, method: str, assessed: Assessment, current: Counts) -> str:
        grid = self._layout.columns[index].grid
        start = self._layout.cell_slice(index).start
        values = slice(start, start + grid.value_cells)
        before, now = self._counts.cells[values], current.cells[values]
        if method == PRESENCE or not before.any() or not now.any():
            return ""
        usual = assessed.reference.stddev[index]
        derived = self._layout.derived[index]  # an axis or an error has no unit
        ratio = np.nan if derived or usual <= 0 else assessed.current.stddev[index] / usual
        return name_change(grid, before.astype(np.float64), now.astype(np.float64), float(ratio))

    def _estimate_distinct(
        self, readings: list[Reading], current: Counts, details: Details
    ) -> None:
        """Frequent categories are counted, the others estimated."""
        for index, profile in enumerate(self._layout.columns):
            if isinstance(profile.grid, CategoryGrid) and not profile.column.part:
                start = self._layout.cell_slice(index).start
                frequent = current.cells[start : start + len(profile.grid.categories)]
                sketch = details.infrequent.get(profile.column.key)
                others = 0 if sketch is None else round(sketch.estimate)
                readings[index] = replace(
                    readings[index],
                    distinct=int(np.count_nonzero(frequent)) + others,
                    reference_distinct=profile.distinct,
                )

    def _faulty(
        self,
        reading: Reading,
        index: int,
        faults: Sequence[Fault],
        quality: Quality,
        unseen: Names,
    ) -> Reading:
        """The reading with the faults of its data."""
        profile = self._layout.columns[index]
        value = _frozen_value(profile, int(quality.frozen_cell[index]), reading.mean)
        names = unseen.get(profile.column.key, ())
        words = tuple(describe(fault, profile, value, names) for fault in faults)
        return replace(reading, quality=words)


def _reading(
    index: int,
    profile: ColumnProfile,
    assessed: Assessment,
    found: Findings,
    policy: DriftPolicy,
) -> Reading:
    column, now, before = profile.column, assessed.current, assessed.reference
    rows = int(now.rows[index])
    decision = _own_rule(index, column.name, assessed, policy) or _budget(
        index, assessed.methods[index], found, policy
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
        source=column.source,
        importance=profile.importance,
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is published of a column's verdicts."""

    status: Status
    method: str
    score: float | None
    threshold: float
    p_value: float | None


def _budget(index: int, method: str, found: Findings, policy: DriftPolicy) -> _Decision:
    """The worse of the two questions decides; of values, where neither is worse."""
    values, presence = found.values, found.presence
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


def _frozen_value(profile: ColumnProfile, cell: int, mean: float | None) -> str:
    """What a frozen column holds; nothing where it is not frozen."""
    if cell < 0:
        return ""
    if isinstance(profile.grid, NumericGrid):
        return "" if mean is None else f"{mean:.4g}"
    return profile.bins[cell]


def _scores(index: int, assessed: Assessment) -> dict[str, float]:
    return {
        name: float(array[index])
        for name, array in assessed.scores.items()
        if not np.isnan(array[index])
    }


def _severity(verdict: Verdict, index: int) -> int:
    return int(verdict.warning[index]) + 2 * int(verdict.drift[index])


def _published_shares(counts: Counts, layout: Layout) -> Floats:
    """Shares of all rows in each published bin, flat over columns."""
    binned = layout.bin_counts(counts).astype(np.float64)
    return binned / counts.rows if counts.rows else binned


def _optional(value: float | np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
