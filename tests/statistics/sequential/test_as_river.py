"""Every detector sees what river's of the same name sees, at the same values of a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from river import drift as _drift
from river.drift import binary as _binary

from monitor.statistics.sequential.adwin import Adwin, AdwinSettings
from monitor.statistics.sequential.detector import Detector, detections
from monitor.statistics.sequential.hddm_a import HddmA, HddmASettings
from monitor.statistics.sequential.hddm_w import HddmW, HddmWSettings
from monitor.statistics.sequential.kswin import Kswin, KswinSettings
from monitor.statistics.sequential.page_hinkley import PageHinkley, PageHinkleySettings

drift: Any = _drift  # river's constructors have no types
binary: Any = _binary

Pair = tuple[Callable[[], Detector], Callable[[], Any]]

ANY_VALUES: dict[str, Pair] = {
    "adwin": (Adwin, drift.ADWIN),
    "adwin at each value": (
        lambda: Adwin(AdwinSettings(clock=1, delta=0.05)),
        lambda: drift.ADWIN(clock=1, delta=0.05),
    ),
    "adwin of few buckets": (
        lambda: Adwin(AdwinSettings(0.3, clock=3, buckets=3, least_part=2, least_values=30)),
        lambda: drift.ADWIN(0.3, clock=3, max_buckets=3, min_window_length=2, grace_period=30),
    ),
    "page-hinkley": (PageHinkley, drift.PageHinkley),
    "page-hinkley that forgets": (
        lambda: PageHinkley(PageHinkleySettings(threshold=10, allowance=0.01, memory=0.99)),
        lambda: drift.PageHinkley(threshold=10, delta=0.01, alpha=0.99),
    ),
    "page-hinkley upwards": (
        lambda: PageHinkley(PageHinkleySettings(threshold=20, direction="up")),
        lambda: drift.PageHinkley(threshold=20, mode="up"),
    ),
    "page-hinkley downwards": (
        lambda: PageHinkley(PageHinkleySettings(threshold=20, direction="down")),
        lambda: drift.PageHinkley(threshold=20, mode="down"),
    ),
}
SLOW: dict[str, Pair] = {
    "kswin": (lambda: Kswin(KswinSettings(seed=3)), lambda: drift.KSWIN(seed=3)),
    "kswin of few values": (
        lambda: Kswin(KswinSettings(alpha=0.05, window=60, latest=25, seed=3)),
        lambda: drift.KSWIN(alpha=0.05, window_size=60, stat_size=25, seed=3),
    ),
}
BITS: dict[str, Pair] = {
    "hddm-a": (HddmA, binary.HDDMA),
    "hddm-a on both sides": (
        lambda: HddmA(HddmASettings(delta=0.05, two_sided=True)),
        lambda: binary.HDDMA(drift_confidence=0.05, two_sided_test=True),
    ),
    "hddm-w": (HddmW, binary.HDDMW),
    "hddm-w on both sides": (
        lambda: HddmW(HddmWSettings(delta=0.05, weight=0.1, two_sided=True)),
        lambda: binary.HDDMW(drift_confidence=0.05, lambda_val=0.1, two_sided_test=True),
    ),
}


def bits(seed: int, rows: int) -> list[float]:
    random = np.random.default_rng(seed)
    rates = np.repeat([0.1, 0.3, 0.2, 0.6, 0.5], rows)
    return list((random.random(len(rates)) < rates).astype(float))


def reals(seed: int, rows: int) -> list[float]:
    random = np.random.default_rng(seed)
    means, deviations = np.repeat([[0, 0.5, 0, 0, 3], [1, 1, 2, 0.5, 1]], rows, axis=1)
    return list(random.normal(means, deviations))


def rivers(detector: Any, stream: Sequence[float]) -> list[int]:
    found = []
    for place, value in enumerate(stream):
        detector.update(value)
        if detector.drift_detected:
            found.append(place)
    return found


def cases() -> list[Any]:
    plan = (
        (ANY_VALUES, (bits, reals), 1000),
        (SLOW, (bits, reals), 150),
        (BITS, (bits,), 2000),
    )
    return [
        pytest.param(pair, draw, rows, id=f"{name}, {draw.__name__}")
        for pairs, draws, rows in plan
        for name, pair in pairs.items()
        for draw in draws
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # river's own, on import of its modules
@pytest.mark.parametrize(("pair", "draw", "rows"), cases())
def test_the_same_detections(
    pair: Pair, draw: Callable[[int, int], list[float]], rows: int
) -> None:
    ours, theirs = pair
    streams = [draw(seed, rows) for seed in range(2)]
    found = [detections(ours(), stream) for stream in streams]
    assert found == [rivers(theirs(), stream) for stream in streams]
    assert any(found), "streams that no detector sees anything in would show nothing"
