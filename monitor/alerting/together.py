"""The reading of all features together: which columns depend on each other in another way than in
the reference, in words.

The error of a row grows too where single columns have moved. That is said of those columns
already: without a pair that changed, it is no drift of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from monitor.profile.projection import Products, Projection, changed_pairs
from monitor.snapshot import Reading, Status

LEAST_CHANGE = 0.1  # of a correlation
DEVIATIONS = 5.0  # of a correlation without drift; there are up to two thousand pairs
PAIRS_SHOWN = 3
NAMES_SHOWN = 3

_MOVED = frozenset({Status.WARNING, Status.DRIFT})


def explained(
    reading: Reading, projection: Projection, products: Products | None, others: Sequence[Reading]
) -> Reading:
    """The reading in words, and only a warning where single columns are cause enough."""
    if reading.status not in _MOVED:
        return reading
    pairs = _pairs(projection, products)
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


def _pairs(
    projection: Projection, products: Products | None
) -> Sequence[tuple[str, str, float, float]]:
    if products is None or products.rows < 2:
        return ()
    least = max(LEAST_CHANGE, DEVIATIONS / math.sqrt(products.rows))
    return changed_pairs(projection, products, least)[:PAIRS_SHOWN]


def _way(before: float, now: float) -> str:
    way = "rose" if now > before else "fell"
    return f"{way} from {round(before, 2) + 0.0:.2f} to {round(now, 2) + 0.0:.2f}"
