"""Which column to look at first: how far it moved, times how much it matters to the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.snapshot import Reading, Status

_SEVERITY = {Status.DRIFT: 3, Status.WARNING: 2, Status.OK: 1, Status.INSUFFICIENT: 0}


def ranked(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """The same readings in the same order, each with its rank.

    First what drifts, then what warns; among these by score over threshold times importance. A
    column whose importance is not known counts as one of average importance; an output as the
    most important one, since it is what is used.
    """
    known = [one.importance for one in readings if one.importance is not None]
    usual = sum(known) / len(known) if known else 1.0
    order = sorted(range(len(readings)), key=lambda i: _key(readings[i], usual))
    places = {i: place for place, i in enumerate(order, start=1)}
    return tuple(replace(reading, rank=places[i]) for i, reading in enumerate(readings))


def _key(reading: Reading, usual: float) -> tuple[float, ...]:
    """The smallest comes first."""
    weight = usual if reading.importance is None else reading.importance
    if reading.role != "feature":
        weight = 1.0
    moved = 0.0
    if reading.score is not None and reading.threshold:
        moved = reading.score / reading.threshold
    return -_SEVERITY[reading.status], -len(reading.quality), -moved * weight
