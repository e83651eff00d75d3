"""Confidence intervals: against closed forms and brute force, and by how often they hold."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitor.statistics.averaged import averaged_errors
from monitor.statistics.confusion import macro_metrics, weighted_metrics
from monitor.statistics.intervals import Interval, of_area, of_mean, of_precision_area, wilson
from monitor.statistics.magnitudes import Magnitudes
from monitor.statistics.performance import PerformanceSums
from monitor.statistics.scores import ScoreHistogram

Draw = np.random.Generator


@pytest.mark.parametrize(("hits", "rows"), [(0, 7), (3, 7), (95, 100), (100, 100)])
def test_wilson_equals_scipy(hits: int, rows: int) -> None:
    exact = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    assert wilson(hits / rows, rows) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    x = np.random.default_rng(1).exponential(3.0, 500)
    error = float(np.std(x, ddof=1)) / math.sqrt(len(x))
    expected = stats.norm.interval(0.95, loc=x.mean(), scale=error)
    assert of_mean(x.mean(), (x * x).mean(), len(x)) == pytest.approx(expected, rel=1e-9)


def test_the_error_of_an_area_is_delongs() -> None:
    draw = np.random.default_rng(2)
    of_class = np.round(draw.normal(0.6, 0.2, 40).clip(0.01, 0.99), 2)
    others = np.round(draw.normal(0.45, 0.2, 60).clip(0.01, 0.99), 2)
    scores = ScoreHistogram()
    for one in of_class:
        scores.count(float(one), True, 1)
    for one in others:
        scores.count(float(one), False, 1)
    pairs = (of_class[:, None] > others) + 0.5 * (of_class[:, None] == others)
    placements = pairs.mean(axis=1), pairs.mean(axis=0)
    expected = math.sqrt(sum(float(np.var(one, ddof=1)) / len(one) for one in placements))
    assert scores.auc() == pytest.approx(float(pairs.mean()), abs=1e-12)
    assert scores.auc_error() == pytest.approx(expected, rel=1e-9)


def test_the_error_of_an_average_over_classes_is_its_gradient_times_the_cells_covariance() -> None:
    table = {("a", "a"): 30, ("a", "b"): 9, ("b", "b"): 22, ("b", "c"): 5, ("c", "a"): 4}
    table |= {("c", "c"): 31}
    rows = sum(table.values())
    shares = np.array(list(table.values())) / rows
    covariance = (np.diag(shares) - np.outer(shares, shares)) / rows
    errors = averaged_errors(table)
    assert len(errors) == 6
    assert errors["recall_weighted"] == pytest.approx(_error_of_accuracy(table), rel=1e-9)
    for name, error in errors.items():
        slopes = []
        for cell in table:
            step = 1e-4 * rows
            moved: dict[tuple[str, str], float] = {**table, cell: table[cell] + step}
            back: dict[tuple[str, str], float] = {**table, cell: table[cell] - step}
            after, before = (
                (macro_metrics(one) | weighted_metrics(one))[name]  # type: ignore[arg-type]
                for one in (moved, back)
            )
            slopes.append((after - before) / 2e-4)
        gradient = np.array(slopes)
        assert error == pytest.approx(math.sqrt(gradient @ covariance @ gradient), rel=1e-5), name


def _error_of_accuracy(table: dict[tuple[str, str], int]) -> float:
    share = sum(n for (label, guess), n in table.items() if label == guess) / sum(table.values())
    return math.sqrt(share * (1 - share) / sum(table.values()))


def regression(draw: Draw) -> PerformanceSums:
    sums = PerformanceSums("regression")
    for truth, noise in zip(draw.normal(50, 5, 300), draw.normal(0.5, 2.0, 300), strict=True):
        sums.add(float(truth), float(truth + noise))
    return sums


def binary(draw: Draw) -> PerformanceSums:
    sums = PerformanceSums("binary")
    scores = draw.beta(2, 3, 300)
    for score, truth in zip(scores.tolist(), (draw.random(300) < scores).tolist(), strict=True):
        sums.add(truth, score > 0.5, {"1": score})
    return sums


def multiclass(draw: Draw) -> PerformanceSums:
    sums = PerformanceSums("multiclass")
    for truth in draw.choice(3, 300, p=[0.5, 0.3, 0.2]).tolist():
        guess = truth if draw.random() < 0.7 else int(draw.integers(0, 3))
        shares = draw.dirichlet([1.0 + 2.0 * (place == guess) for place in range(3)])
        given = dict(zip("abc", shares.tolist(), strict=True))
        sums.add("abc"[truth], "abc"[guess], given)
    return sums


def _truth(make: Callable[[Draw], PerformanceSums]) -> dict[str, float]:
    """The metrics of so many rows that chance has no say."""
    total = make(np.random.default_rng(10_000))
    for seed in range(10_001, 10_040):
        total = total + make(np.random.default_rng(seed))
    return total.metrics()


@pytest.mark.parametrize("make", [regression, binary, multiclass])
def test_intervals_hold_the_truth_about_as_often_as_they_say(
    make: Callable[[Draw], PerformanceSums],
) -> None:
    truth = _truth(make)
    trials = 40 if make is multiclass else 150  # its rows cost the most
    held: dict[str, int] = {}
    for seed in range(trials):
        for name, (low, high) in make(np.random.default_rng(seed)).intervals().items():
            held[name] = held.get(name, 0) + (low <= truth[name] <= high)
    assert len(held) >= (11 if make is multiclass else 7)
    for name, count in held.items():
        assert count / trials >= 0.88, name
    assert min(held.values()) < trials  # an interval that holds everything says nothing


def test_corners() -> None:
    assert of_mean(1.0, 1.0, 1) is None
    assert of_area(1.0, 0.0, 10)[0] == wilson(1.0, 10)[0] < 1.0
    assert of_precision_area(0.5, 0) is None
    certain: Interval | None = of_precision_area(1.0, 10)
    assert certain == wilson(1.0, 10)
    sums = PerformanceSums("regression")
    sums.add(1.0, 2.0)
    assert sums.intervals() == {}


def test_quantiles_of_any_size_of_error_stay_within_their_bound() -> None:
    draw = np.random.default_rng(4)
    sizes: NDArray[np.float64] = np.concatenate(
        [10 ** draw.uniform(-300, 300, 999), [0.0, 1.7e308]]
    )
    held = Magnitudes()
    for one in sizes.tolist():
        held.count(one, 1)
    for share in (0.0005, 0.01, 0.5, 0.9, 0.999, 1.0):
        exact = float(np.quantile(sizes, share, method="inverted_cdf"))
        assert held.quantile(share) == pytest.approx(exact, rel=0.0101), share
