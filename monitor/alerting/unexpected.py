"""Columns that come although the reference does not know them: named, tested like any fault of the
data, never silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.alerting.explain import percent
from monitor.alerting.quality import LEAST_EFFECT
from monitor.profile.assess import PRESENCE
from monitor.snapshot import Reading, Status
from monitor.statistics.divergence import share_effect
from monitor.statistics.significance import share_rise

UNKNOWN = "unknown"  # the kind of a column that the reference does not know


def readings(
    unexpected: Mapping[tuple[str, str], int], rows: int, reference_rows: int, level: float
) -> Iterator[Reading]:
    """A reading of each such column; a fault where it is more than a stray row."""
    for (name, role), held in sorted(unexpected.items()):
        share = min(held / max(rows, 1), 1.0)
        words = (
            f"unexpected: the reference does not know this column; {percent(share)} of rows hold it"
        )
        surprising = float(share_rise(1, reference_rows, held, rows)) <= level
        fault = surprising and float(share_effect(0.0, share)) >= LEAST_EFFECT
        yield Reading(
            column=name,
            role=role,
            kind=UNKNOWN,
            status=Status.INSUFFICIENT,
            method=PRESENCE,
            rows=held,
            explanation="" if fault else words,
            quality=(words,) if fault else (),
        )
