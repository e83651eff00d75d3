"""What every sequential detector promises, and the few checks that they share.

Knows no detector.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from monitor.errors import StatisticsError


class Detector(Protocol):
    """Reads one value after another, in bounded memory; after a detection it begins anew."""

    def update(self, value: float) -> bool:
        """Take one value; whether the stream has changed, as far as this value tells.

        StatisticsError for a value that is not finite, or outside what the detector is defined for.
        """
        ...

    def reset(self) -> None:
        """Forget the stream: the state of a new detector with the same settings."""
        ...


def detections(detector: Detector, stream: Iterable[float]) -> list[int]:
    """Positions in the stream, from 0, at which the detector saw a change.

    >>> from monitor.statistics.sequential.page_hinkley import PageHinkley
    >>> detections(PageHinkley(), [0.0] * 500 + [5.0] * 500)
    [510]
    """
    return [place for place, value in enumerate(stream) if detector.update(value)]


def finite(value: float) -> float:
    """The value as a float; StatisticsError where it is NaN or infinite."""
    number = float(value)
    if not math.isfinite(number):
        raise StatisticsError(f"a sequential detector takes finite values, not {value!r}")
    return number


def bounded(value: float) -> float:
    """The value as a float; StatisticsError outside [0, 1], where Hoeffding's bound holds."""
    number = float(value)
    if not 0.0 <= number <= 1.0:
        raise StatisticsError(f"this detector takes values between 0 and 1, not {value!r}")
    return number


def probability(name: str, value: float) -> None:
    """StatisticsError unless the setting lies between 0 and 1, both excluded."""
    if not 0.0 < value < 1.0:
        raise StatisticsError(f"{name} lies between 0 and 1, not at {value!r}")


def at_least(name: str, value: float, least: float) -> None:
    """StatisticsError where the setting is below `least`, or no number."""
    if not value >= least:
        raise StatisticsError(f"{name} is at least {least}, not {value!r}")
