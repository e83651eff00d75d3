"""From where on a metric is an alert: a fixed value, or so many standard deviations from the
reference's own.

Knows nothing of alerts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.profile.reference import ReferencePerformance
from monitor.statistics.direction import falls


@dataclass(frozen=True, slots=True)
class Deviations:
    """So many standard deviations of the reference's chunks, towards the worse."""

    times: float


Threshold = float | Deviations


def resolved(
    thresholds: Mapping[str, Threshold], reference: ReferencePerformance | None, rows: int
) -> dict[str, float]:
    """Each threshold as a value of its metric, for a window of `rows` labels; those that need a
    reference's chunks and have none are left out.

    A chunk's spread holds what chance does to so many rows. A window of fewer rows is widened by
    √(chunk rows / rows); one of more is not narrowed, because the model's own ups and downs stay.
    """
    found: dict[str, float] = {}
    for metric, threshold in thresholds.items():
        if not isinstance(threshold, Deviations):
            found[metric] = threshold
            continue
        spread = reference.spread.get(metric) if reference else None
        if reference is None or spread is None or not reference.chunk_rows:
            continue
        mean, deviation = spread
        widened = math.sqrt(max(1.0, reference.chunk_rows / max(rows, 1)))
        distance = threshold.times * deviation * widened
        middle = abs(mean) if metric == "mean_error" else mean
        found[metric] = middle - distance if falls(metric) else middle + distance
    return found
