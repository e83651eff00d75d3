"""The reading of all features together: which columns depend on each other in another way than in
the reference, in words.

The error of a row grows too where single columns have moved. That is said of those columns
already: without a pair that changed, it is no drift of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.decide import DriftPolicy, Findings, Verdict
from monitor.profile.assess import CORRELATION
from monitor.profile.counts import Counts
from monitor.profile.dependence import DependenceAssessor, PairChanges
from monitor.profile.layout import Layout
from monitor.profile.projection import Products
from monitor.snapshot import Reading, Status
from monitor.statistics.correction import strongest_of

PAIRS_SHOWN = 3
NAMES_SHOWN = 3

_SEVERITY = {Status.WARNING: 1, Status.DRIFT: 2}

Floats = NDArray[np.float64]
Pair = tuple[str, str, float, float]  # both names, the reference's correlation, and now's


class Dependence:
    """What one reference's windows say of all features together."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        self._index = layout.together
        self._names = [profile.column.name for profile in layout.columns]
        self._assessor = None if self._index is None else DependenceAssessor(layout, reference)

    def pairs(self, products: Products | None, policy: DriftPolicy) -> PairChanges | None:
        """The pairs that changed; None where there are too few rows, or no projection."""
        if self._assessor is None or products is None or products.rows < policy.min_rows:
            return None
        return self._assessor.assess(products, policy.min_effect)

    def tested(self, pairs: PairChanges | None) -> PairChanges | None:
        """Those that decide; of a reference of an earlier release they are only named."""
        return pairs if self._assessor is not None and self._assessor.tested else None

    def candidates(
        self, sums: Floats, policy: DriftPolicy, level: float
    ) -> NDArray[np.bool_] | None:
        """Which of many looks, as sums of products, may hold a pair worth a finding."""
        if self._assessor is None or not self._assessor.tested:
            return None
        return self._assessor.candidates(sums, policy.min_effect, level)

    def ask(self, readings: list[Reading], found: Findings, policy: DriftPolicy) -> None:
        """The pairs' question is one more of the reading of all features."""
        if self._index is not None and self._names[self._index] not in policy.columns:
            reading = readings[self._index]
            readings[self._index] = with_pairs(reading, found.pairs, policy.min_effect)

    def explain(self, readings: list[Reading], pairs: PairChanges | None, fdr: float) -> None:
        """Puts it in words."""
        if self._index is not None:
            others = [*readings[: self._index], *readings[self._index + 1 :]]
            told = changed(pairs, self._names, fdr)
            readings[self._index] = explained(readings[self._index], told, others)


def changed(pairs: PairChanges | None, names: Sequence[str], fdr: float) -> list[Pair]:
    """The few pairs that changed beyond chance, of all that were tested."""
    if pairs is None:
        return []
    found = zip(
        pairs.first.tolist(),
        pairs.second.tolist(),
        pairs.before.tolist(),
        pairs.now.tolist(),
        pairs.p_value.tolist(),
        strict=True,
    )
    sure = takewhile(lambda one: strongest_of(one[-1], pairs.pairs) <= fdr, found)
    told = [(names[i], names[j], before, now) for i, j, before, now, _ in sure]
    return told[:PAIRS_SHOWN]


def with_pairs(reading: Reading, found: Verdict, min_effect: float) -> Reading:
    """The reading, by the pairs' question where that is the worse of the two."""
    effect, p_value = float(found.effect[0]), float(found.p_value[0])
    if math.isnan(effect):
        return reading
    scores = {**reading.scores, CORRELATION: effect}
    severity = 2 if found.drift[0] else int(found.warning[0])
    if severity <= _SEVERITY.get(reading.status, 0):
        return replace(reading, scores=scores)
    return replace(
        reading,
        status=Status.DRIFT if found.drift[0] else Status.WARNING,
        method=CORRELATION,
        score=effect,
        threshold=min_effect,
        p_value=p_value,
        scores=scores,
    )


def explained(reading: Reading, pairs: Sequence[Pair], others: Sequence[Reading]) -> Reading:
    """The reading in words, and only a warning where single columns are cause enough."""
    if reading.status not in _SEVERITY:
        return reading
    if pairs:
        words = [f"correlation of {a} and {b} {_way(p, q)}" for a, b, p, q in pairs]
        more = reading.explanation
        return replace(reading, explanation="; ".join([*words, *([more] if more else [])]))
    drifted = [one for one in others if one.status is Status.DRIFT and one.role == reading.role]
    if not drifted:
        return reading
    names = [one.source or one.column for one in sorted(drifted, key=lambda one: -(one.score or 0))]
    shown = list(dict.fromkeys(names))
    more = ", …" if len(shown) > NAMES_SHOWN else ""
    words = [f"single columns have moved: {', '.join(shown[:NAMES_SHOWN])}{more}"]
    return replace(
        reading, status=Status.WARNING, explanation="; ".join([*words, reading.explanation])
    )


def _way(before: float, now: float) -> str:
    way = "rose" if now > before else "fell"
    return f"{way} from {round(before, 2) + 0.0:.2f} to {round(now, 2) + 0.0:.2f}"
