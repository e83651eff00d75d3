"""What all sequential detectors promise, and the parts of each that have closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics.sequential.adwin import Adwin, AdwinSettings
from monitor.statistics.sequential.detector import Detector, detections
from monitor.statistics.sequential.hddm_a import HddmA, HddmASettings
from monitor.statistics.sequential.hddm_w import HddmW, HddmWSettings
from monitor.statistics.sequential.kswin import Kswin, KswinSettings, steps_apart, tail
from monitor.statistics.sequential.page_hinkley import PageHinkley, PageHinkleySettings

ALL: list[Callable[[], Detector]] = [Adwin, PageHinkley, Kswin, HddmA, HddmW]
BOUNDED: list[Callable[[], Detector]] = [HddmA, HddmW]


def errors(seed: int, before: float, after: float, rows: int = 3000) -> list[float]:
    random = np.random.default_rng(seed)
    return list((random.random(2 * rows) < np.repeat([before, after], rows)).astype(float))


@pytest.mark.parametrize("make", ALL)
def test_a_constant_stream_has_not_changed(make: Callable[[], Detector]) -> None:
    assert detections(make(), [1.0] * 3000) == []


@pytest.mark.parametrize("make", ALL)
def test_a_stream_that_jumps_has(make: Callable[[], Detector]) -> None:
    found = detections(make(), [0.0] * 1000 + [1.0] * 1000)
    assert len(found) == 1
    assert 1000 <= found[0] < 1100


@pytest.mark.parametrize("make", ALL)
def test_after_a_detection_or_a_reset_it_is_as_new(make: Callable[[], Detector]) -> None:
    stream = errors(5, 0.05, 0.95, rows=400)
    detector = make()
    first = detections(detector, stream)
    assert first
    detector.reset()
    assert detections(detector, stream[: first[0] + 1]) == first[:1]
    assert detections(detector, stream) == first
    detector.reset()
    assert detections(detector, stream) == first


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_and_leaves_no_trace(
    make: Callable[[], Detector], value: float
) -> None:
    stream = errors(5, 0.05, 0.95, rows=400)
    detector = make()
    for one in stream[:300]:
        detector.update(one)
    with pytest.raises(StatisticsError):
        detector.update(value)
    assert detections(detector, stream[300:]) == [
        place - 300 for place in detections(make(), stream) if place >= 300
    ]


@pytest.mark.parametrize("make", BOUNDED)
def test_hoeffdings_bound_is_for_values_between_nought_and_one(
    make: Callable[[], Detector],
) -> None:
    for value in (-0.01, 1.01):
        with pytest.raises(StatisticsError, match="between 0 and 1"):
            make().update(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AdwinSettings(delta=0.0),
        lambda: AdwinSettings(clock=0),
        lambda: AdwinSettings(buckets=1),
        lambda: PageHinkleySettings(memory=1.1),
        lambda: PageHinkleySettings(threshold=math.nan),
        lambda: PageHinkleySettings(direction="sideways"),  # type: ignore[arg-type]  # on purpose
        lambda: KswinSettings(alpha=1.0),
        lambda: KswinSettings(window=59, latest=30),
        lambda: HddmASettings(delta=1.0),
        lambda: HddmWSettings(weight=0.0),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(StatisticsError):
        make()


def test_adwin_knows_the_mean_of_its_window_and_forgets_the_rest() -> None:
    values = list(np.random.default_rng(1).normal(size=500))
    detector = Adwin(AdwinSettings(clock=10**6))
    assert detections(detector, values) == []
    assert detector.width == 500
    assert detector._whole.total == pytest.approx(sum(values))
    assert detector._whole.squares == pytest.approx(np.var(values) * 500)
    held = [part for row in detector._rows for part in row]
    assert sum(part.values for part in held) == 500
    assert sum(part.total for part in held) == pytest.approx(sum(values))
    assert len(held) <= 6 * math.ceil(math.log2(500))
    oldest = detector._rows[-1][0]
    assert oldest.squares == pytest.approx(np.var(values[: oldest.values]) * oldest.values)


@pytest.mark.parametrize("size", [5, 30])
def test_kswins_tail_is_scipys_exact_one(size: int) -> None:
    for steps in range(1, size + 1):
        first = np.arange(size, dtype=float)
        second = np.concatenate([first[steps:] + 0.5, np.full(steps, 1e3)])
        exact = stats.ks_2samp(first, second, method="exact")
        assert steps_apart(list(first), list(second)) == round(exact.statistic * size)
        assert tail(round(exact.statistic * size), size) == pytest.approx(exact.pvalue, rel=1e-9)


def test_kswins_distance_counts_ties_as_one_step() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        first, second = random.integers(0, 4, (2, 20))
        expected = stats.ks_2samp(first, second).statistic * 20
        assert steps_apart(list(first), list(second)) == round(expected)


def test_a_level_that_no_sample_reaches_never_alarms() -> None:
    detector = Kswin(KswinSettings(alpha=0.01, window=10, latest=3))
    assert detections(detector, [0.0] * 100 + [9.0] * 100) == []


def test_two_sided_hears_a_fall_and_one_sided_does_not() -> None:
    stream = errors(7, 0.9, 0.1)
    for one, two in (
        (HddmA(), HddmA(HddmASettings(two_sided=True))),
        (HddmW(), HddmW(HddmWSettings(two_sided=True))),
    ):
        assert not [place for place in detections(one, stream) if 3000 <= place < 3200]
        assert [place for place in detections(two, stream) if 3000 <= place < 3100]
