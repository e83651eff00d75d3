"""How soon sequential detectors see that an error rate has changed, and how often they are wrong.

A stream of errors, 0 or 1, whose rate changes after 5,000 values and which goes on for as many;
Sidelight's detectors with their defaults, and river's on the same streams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np

from monitor.statistics.sequential.adwin import Adwin
from monitor.statistics.sequential.detector import Detector, detections
from monitor.statistics.sequential.hddm_a import HddmA
from monitor.statistics.sequential.hddm_w import HddmW
from monitor.statistics.sequential.kswin import Kswin
from monitor.statistics.sequential.page_hinkley import PageHinkley

CHANGE_AT = 5000
RATES = ((0.1, 0.2), (0.1, 0.3), (0.3, 0.4), (0.3, 0.5))

OURS: Mapping[str, Callable[[], Detector]] = {
    "ADWIN": Adwin,
    "Page–Hinkley": PageHinkley,
    "KSWIN": Kswin,
    "HDDM-A": HddmA,
    "HDDM-W": HddmW,
}
SLOW = {"KSWIN": 2}  # river's takes 250 µs a value: so many streams of each rate are enough

Stream = Sequence[float]


@dataclass(frozen=True, slots=True)
class Record:
    """What one detector did on the streams of one change of rate."""

    detector: str
    rates: tuple[float, float]
    streams: int
    found: tuple[tuple[int, ...], ...]  # places of the detections in each stream
    microseconds: float  # of processor time, a value

    @property
    def delay(self) -> float:
        """Mean number of values from the change to the first detection, where there was one."""
        first = [min((p for p in one if p >= CHANGE_AT), default=None) for one in self.found]
        delays = [place - CHANGE_AT for place in first if place is not None]
        return float(np.mean(delays)) if delays else float("nan")

    @property
    def missed(self) -> int:
        """Streams in which the change was not seen."""
        return sum(all(place < CHANGE_AT for place in one) for one in self.found)

    @property
    def false_alarms(self) -> float:
        """Mean number of detections in the 5,000 values before the change."""
        return sum(place < CHANGE_AT for one in self.found for place in one) / self.streams


def stream(rates: tuple[float, float], seed: int) -> list[float]:
    """Errors at the first rate, then at the second."""
    random = np.random.default_rng(seed)
    held: list[float] = (
        (random.random(2 * CHANGE_AT) < np.repeat(rates, CHANGE_AT)).astype(float).tolist()
    )
    return held


def measure(seeds: int) -> list[Record]:
    """Sidelight's detectors."""
    return [
        _record(name, rates, seeds, partial(_ours, make))
        for name, make in OURS.items()
        for rates in RATES
    ]


def measure_river(seeds: int) -> tuple[str, list[Record]]:
    """River's, and its version; DDM and EDDM besides, which Sidelight has none of."""
    from river import drift  # noqa: PLC0415 - 170 MB, and only here
    from river.drift import binary  # noqa: PLC0415 - likewise

    makers: dict[str, Callable[[], Any]] = {
        "ADWIN": drift.ADWIN,
        "Page–Hinkley": drift.PageHinkley,
        "KSWIN": lambda: drift.KSWIN(seed=0),
        "HDDM-A": binary.HDDMA,
        "HDDM-W": binary.HDDMW,
        "DDM": binary.DDM,
        "EDDM": binary.EDDM,
    }
    records = [
        _record(name, rates, min(seeds, SLOW.get(name, seeds)), partial(_seen, make))
        for name, make in makers.items()
        for rates in RATES
    ]
    return version("river"), records


def _record(
    name: str, rates: tuple[float, float], seeds: int, find: Callable[[Stream], list[int]]
) -> Record:
    streams = [stream(rates, seed) for seed in range(seeds)]
    began = process_time()
    found = tuple(tuple(find(held)) for held in streams)
    spent = process_time() - began
    return Record(name, rates, seeds, found, 1e6 * spent / (seeds * 2 * CHANGE_AT))


def _ours(make: Callable[[], Detector], held: Stream) -> list[int]:
    return detections(make(), held)


def _seen(make: Callable[[], Any], held: Stream) -> list[int]:
    detector, found = make(), []
    for place, value in enumerate(held):
        detector.update(value)
        if detector.drift_detected:
            found.append(place)
    return found
