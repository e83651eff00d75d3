"""One sample, and the few ways in which samples are made. Knows nothing of the Snapshot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One sample: `suffix` follows the family's name (`_bucket`, `_total`, …)."""

    suffix: str
    labels: Labels
    value: float


Block = list[tuple[str, Series]]  # (metric's name, series) that are kept or dropped together


def counter(name: str, value: float, labels: Labels = ()) -> Iterator[tuple[str, Series]]:
    """One sample of a counter, where there is a finite one."""
    if math.isfinite(value):
        yield name, Series("_total", labels, value)


def gauge(name: str, value: float | None, labels: Labels = ()) -> Iterator[tuple[str, Series]]:
    """One sample of a gauge, where there is a finite one."""
    if value is not None and math.isfinite(value):
        yield name, Series("", labels, value)
