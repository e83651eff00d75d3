"""Estimates without labels: what calibrated probabilities promise comes true, and sums add up."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.isotonic import IsotonicRegression

from monitor.errors import StatisticsError
from monitor.profile import fitting
from monitor.profile.fitting import fit_calibration, fit_forest
from monitor.statistics.estimation.calibration import Calibration
from monitor.statistics.estimation.class_sums import (
    ClassSums,
    binary_sums,
    multiclass_sums,
    no_rows,
)
from monitor.statistics.estimation.error_sums import ErrorSums, error_sums
from monitor.statistics.estimation.forest import Forest
from monitor.statistics.performance import PerformanceSums

Floats = NDArray[np.float64]


def close(found: ClassSums, expected: ClassSums) -> None:
    for field in fields(ClassSums):
        assert getattr(found, field.name) == pytest.approx(getattr(expected, field.name), rel=1e-9)


def test_calibrated_probabilities_come_true_within_sampling_error() -> None:
    draw = np.random.default_rng(0)
    scores = draw.beta(1.0, 2.0, 20_000)
    truth = draw.random(20_000) < scores
    expected = binary_sums(scores, scores, scores > 0.4).metrics()
    sums = PerformanceSums("binary")
    for score, label in zip(scores.tolist(), truth.tolist(), strict=True):
        sums.add(label, score > 0.4, {"1": score})
    realised, intervals = sums.metrics(), sums.intervals()
    assert expected.keys() == realised.keys() - {"calibration_error"}
    for name, value in expected.items():
        width = intervals[name][1] - intervals[name][0]
        assert abs(value - realised[name]) < width, name  # four standard errors


def test_the_area_is_that_of_rows_sorted_by_raw_score() -> None:
    draw = np.random.default_rng(1)
    scores = draw.random(3000)
    shares = scores**2  # calibration need not keep the scale, only the order
    order = np.argsort(-scores)
    hits = np.concatenate([[0.0], np.cumsum(shares[order])])
    misses = np.arange(3001) - hits
    area = float(np.trapezoid(hits / hits[-1], misses / misses[-1]))
    sums = binary_sums(scores, shares, scores > 0.5)
    assert sums.metrics()["roc_auc"] == pytest.approx(area, abs=0.001)
    assert sums.metrics()["precision"] == pytest.approx(shares[scores > 0.5].mean(), rel=1e-12)


def multiclass(seed: int, rows: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet([0.7, 0.5, 0.3], rows)
    truth = (draw.random(rows)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    return shares, shares.argmax(axis=1), truth


def test_several_classes_come_true_too() -> None:
    shares, guesses, truth = multiclass(2, 10_000)
    expected = multiclass_sums(shares, shares, guesses).metrics()
    sums = PerformanceSums("multiclass")
    for row, guess, label in zip(shares.tolist(), guesses.tolist(), truth.tolist(), strict=True):
        sums.add(label, guess, {str(k): share for k, share in enumerate(row)})
    realised = sums.metrics()
    assert len(expected) == 8
    for name, value in expected.items():
        assert value == pytest.approx(realised[name], abs=0.02), name


def test_sums_of_parts_are_the_sums_of_the_whole() -> None:
    shares, guesses, _ = multiclass(3, 1000)
    guesses[::7] = -1  # a class that was never given a probability
    parts = [multiclass_sums(shares[i::3], shares[i::3], guesses[i::3]) for i in range(3)]
    whole = multiclass_sums(shares, shares, guesses)
    close(parts[2] + no_rows(3) + parts[0] + parts[1], whole)
    one = shares[:, 0]
    halves = [binary_sums(one[i::2], one[i::2], one[i::2] > 0.5) for i in range(2)]
    close(halves[1] + halves[0] + no_rows(1), binary_sums(one, one, one > 0.5))
    assert no_rows(2).metrics() == {}
    with pytest.raises(StatisticsError, match="different classes"):
        no_rows(1) + no_rows(2)


def test_what_is_not_defined_is_absent_and_the_ends_of_the_scale_are_finite() -> None:
    ends = np.array([0.0, 1.0, 1.0])
    found = binary_sums(ends, ends, ends > 0.5).metrics()
    assert found["accuracy"] == found["roc_auc"] == 1.0
    assert all(np.isfinite(list(found.values())))
    nobody = binary_sums(np.zeros(5), np.zeros(5), np.zeros(5, np.bool_)).metrics()
    assert nobody.keys() == {"accuracy", "log_loss", "brier_score"}


def test_a_calibration_is_scikit_learns_isotonic_and_kept_only_where_it_helps() -> None:
    draw = np.random.default_rng(4)
    shares = draw.random(5000)
    truth = draw.random(5000) < shares
    assert fit_calibration(shares, truth) is None
    squeezed = 0.25 + shares / 2
    found = fit_calibration(squeezed, truth)
    assert found is not None
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(squeezed, truth)
    probe = draw.random(1000)
    assert found.apply(probe) == pytest.approx(model.predict(probe), abs=1e-12)
    assert np.all(np.diff(found.apply(np.sort(probe))) >= 0)
    assert np.abs(found.apply(squeezed) - shares).mean() < 0.03
    assert fit_calibration(shares, np.zeros(5000, np.bool_)) is None  # one class only


@pytest.mark.parametrize(
    ("scores", "shares"),
    [
        ([], []),
        ([0.1], [0.1, 0.2]),
        ([0.2, 0.1], [0.1, 0.2]),
        ([0.1, 0.2], [0.2, 0.1]),
        ([0.0], [2]),
    ],
)
def test_thresholds_that_are_none(scores: list[float], shares: list[float]) -> None:
    with pytest.raises(StatisticsError, match="calibration"):
        Calibration(np.array(scores), np.array(shares))


def table(seed: int, rows: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 4))
    x[draw.random((rows, 4)) < 0.1] = np.nan
    return x, np.nan_to_num(x[:, 0]) ** 2 + np.where(np.isnan(x[:, 1]), 3.0, 0.0)


def test_a_forest_of_arrays_is_the_fitted_model_to_the_last_bit_or_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "TREES", 20)
    x, y = table(5, 3000)
    forest = fit_forest(x, y)
    model = HistGradientBoostingRegressor(
        max_iter=20,
        max_leaf_nodes=fitting.LEAVES,
        max_depth=fitting.DEPTH,
        min_samples_leaf=fitting.LEAST_LEAF_ROWS,
        learning_rate=fitting.LEARNING_RATE,
        early_stopping=False,
        random_state=fitting.SEED,
    )
    with fitting._one_thread():
        model.fit(x, y)
    probe, _ = table(6, 1500)
    probe[:4] = [[1e300] * 4, [-1e300] * 4, [np.nan] * 4, [0.0] * 4]
    assert forest.predict(probe) == pytest.approx(model.predict(probe), abs=1e-9)
    assert forest.predict(np.zeros((0, 4))).shape == (0,)
    with pytest.raises(StatisticsError, match="columns"):
        forest.predict(probe[:, :1])


def test_a_forest_that_leads_astray_is_refused() -> None:
    one = np.array([0])
    leaf = Forest(1.0, one, one, np.zeros(1), one, one, np.zeros(1, np.bool_), np.array([2.0]))
    assert leaf.predict(np.zeros((2, 0 + 1))).tolist() == [3.0, 3.0]
    for change in (
        {"left": np.array([1])},
        {"roots": np.array([-1])},
        {"feature": np.array([-1])},
        {"value": np.zeros(2)},
    ):
        with pytest.raises(StatisticsError, match="forest"):
            replace(leaf, **change)
    circle, two = np.array([1, 0]), np.zeros(2, np.int64)
    with pytest.raises(StatisticsError, match="do not end"):
        Forest(0.0, one, two, np.zeros(2), circle, circle, np.zeros(2, np.bool_), np.zeros(2))


def test_expected_errors_add_up_and_are_never_negative() -> None:
    whole = error_sums(np.array([1.0, -0.5, 3.0]), np.array([1.0, 0.0, 9.0]))
    assert whole.metrics() == {"rmse": pytest.approx((10 / 3) ** 0.5), "mae": pytest.approx(4 / 3)}
    half = error_sums(np.array([1.0]), np.array([4.0]), weight=2.0)
    assert half + ErrorSums() == ErrorSums(2.0, 1, 2.0, 8.0)
    assert ErrorSums().metrics() == {}
