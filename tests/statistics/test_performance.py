"""Performance against scikit-learn on the same rows, and the laws that let panes add up."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from monitor.errors import StatisticsError
from monitor.statistics.classification import MAX_CLASSES, ClassificationSums
from monitor.statistics.performance import (
    PerformanceCounter,
    PerformanceSums,
    Task,
    class_metrics,
    classification_metrics,
    regression_metrics,
)
from monitor.statistics.regression import QUANTILES
from monitor.statistics.scores import ScoreHistogram


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


def regression_rows(seed: int, count: int = 3000) -> tuple[list[float], list[float]]:
    draw = np.random.default_rng(seed)
    truth = draw.normal(1e6, 30.0, count)  # far from zero: sums of squares would cancel
    return truth.tolist(), (truth + draw.standard_t(3, count) * 12 + 1).tolist()


def class_rows(
    seed: int, classes: Sequence[str], count: int = 3000
) -> tuple[list[str], list[str], dict[str, list[float]]]:
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.full(len(classes), 0.8), count)
    shares /= shares.sum(axis=1, keepdims=True)
    truth = [draw.choice(len(classes), p=row) for row in shares]
    guesses = np.where(
        draw.random(count) < 0.1, draw.integers(0, len(classes), count), shares.argmax(1)
    )
    columns = {name: shares[:, place].tolist() for place, name in enumerate(classes)}
    return [classes[one] for one in truth], [classes[one] for one in guesses], columns


def added(
    task: Task, labels: Sequence[object], guesses: Sequence[object], given: object = None
) -> PerformanceSums:
    sums = PerformanceSums(task)
    columns: dict[str, list[float]] = given if isinstance(given, dict) else {}
    for place, (label, guess) in enumerate(zip(labels, guesses, strict=True)):
        shares = {name: column[place] for name, column in columns.items()}
        assert sums.add(label, guess, shares)
    return sums


@pytest.mark.parametrize("seed", range(3))
def test_regression_equals_scikit_learn(seed: int) -> None:
    truth, guesses = regression_rows(seed)
    expected = {
        "rmse": sklearn_metrics.root_mean_squared_error(truth, guesses),
        "mae": sklearn_metrics.mean_absolute_error(truth, guesses),
        "mean_error": float(np.mean(np.subtract(guesses, truth))),
        "mape": sklearn_metrics.mean_absolute_percentage_error(truth, guesses),
        "r2": sklearn_metrics.r2_score(truth, guesses),
    }
    sizes = np.abs(np.subtract(guesses, truth))
    quantiles = {
        name: float(np.quantile(sizes, share, method="inverted_cdf"))
        for name, share in QUANTILES.items()
    }
    live = added("regression", truth, guesses).metrics()
    assert {name: live.pop(name) for name in QUANTILES} == pytest.approx(quantiles, rel=0.01)
    assert live == close(expected)
    assert regression_metrics(truth, guesses) == close(expected | quantiles)
    assert regression_metrics(np.array(truth), np.array(guesses)) == close(expected | quantiles)


def test_a_label_of_nought_has_no_relative_error_and_taking_it_back_brings_mape_again() -> None:
    sums = added("regression", [0.0, 2.0], [1.0, 3.0])
    assert "mape" not in sums.metrics()
    assert "mape" not in regression_metrics([0.0, 2.0], [1.0, 3.0])
    sums.remove(0.0, 1.0)
    assert sums.metrics()["mape"] == 0.5


def calibration_error(positive: Sequence[bool], score: Sequence[float]) -> float:
    """From scikit-learn's reliability diagram, its bins weighted by their rows."""
    seen, told = calibration_curve(positive, score, n_bins=10)
    edges = np.linspace(0.0, 1.0, 11)
    rows = np.bincount(np.searchsorted(edges[1:-1], score), minlength=10)
    return float(np.abs(seen - told) @ rows[rows > 0] / len(score))


@pytest.mark.parametrize("classes", [("no", "yes"), ("0", "1"), ("ham", "spam")])
def test_binary_equals_scikit_learn(classes: tuple[str, str]) -> None:
    truth, guesses, shares = class_rows(len(classes[0]), classes)
    positive = [name == classes[1] for name in truth]
    score = shares[classes[1]]
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(truth, guesses),
        "precision": sklearn_metrics.precision_score(truth, guesses, pos_label=classes[1]),
        "recall": sklearn_metrics.recall_score(truth, guesses, pos_label=classes[1]),
        "f1": sklearn_metrics.f1_score(truth, guesses, pos_label=classes[1]),
        "log_loss": sklearn_metrics.log_loss(positive, score),
        "brier_score": sklearn_metrics.brier_score_loss(positive, score),
    }
    for given_columns in (shares, {classes[1]: score}):
        found = classification_metrics(truth, guesses, given_columns)
        assert added("binary", truth, guesses, given_columns).metrics() == found
        areas = found.pop("roc_auc"), found.pop("average_precision")
        assert areas == pytest.approx(
            (
                sklearn_metrics.roc_auc_score(positive, score),
                sklearn_metrics.average_precision_score(positive, score),
            ),
            abs=5e-4,
        )
        assert found.pop("calibration_error") == close(calibration_error(positive, score))
        assert found == close(expected)


def test_multiclass_equals_scikit_learn_over_classes_and_by_class() -> None:
    classes = ("ant", "bee", "cat", "dog")
    truth, guesses, shares = class_rows(7, classes)
    matrix = np.column_stack([shares[name] for name in classes])
    each = sklearn_metrics.precision_recall_fscore_support(truth, guesses, labels=classes)
    macro = sklearn_metrics.precision_recall_fscore_support(truth, guesses, average="macro")
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(truth, guesses),
        **dict(zip(("precision", "recall", "f1"), macro[:3], strict=True)),
        "log_loss": sklearn_metrics.log_loss(truth, matrix),
        "brier_score": sklearn_metrics.brier_score_loss(truth, matrix, labels=classes),
    }
    weighted = sklearn_metrics.precision_recall_fscore_support(truth, guesses, average="weighted")
    names = ("precision_weighted", "recall_weighted", "f1_weighted")
    expected |= dict(zip(names, weighted[:3], strict=True))
    sums = added("multiclass", truth, guesses, shares)
    found = sums.metrics()
    area = sklearn_metrics.roc_auc_score(truth, matrix, multi_class="ovr", labels=classes)
    assert found.pop("roc_auc") == pytest.approx(area, abs=5e-4)
    one_hot = np.array([[name == one for one in classes] for name in truth])
    precision = sklearn_metrics.average_precision_score(one_hot, matrix, average="macro")
    assert found.pop("average_precision") == pytest.approx(precision, abs=0.002)
    errors = [
        calibration_error(one_hot[:, k].tolist(), shares[name]) for k, name in enumerate(classes)
    ]
    assert found.pop("calibration_error") == close(np.mean(errors))
    assert found == close(expected)
    for place, name in enumerate(("precision", "recall", "f1")):
        by_class = dict(zip(classes, each[place], strict=True))
        assert sums.by_class()[name] == close(by_class)
    assert class_metrics(truth, guesses, shares) == sums.by_class()


def test_a_class_never_predicted_counts_as_zero_in_the_mean_and_is_absent_by_class() -> None:
    truth, guesses = ["a", "b", "c", "c"], ["a", "b", "a", "b"]
    expected = sklearn_metrics.precision_score(truth, guesses, average="macro", zero_division=0)
    sums = added("multiclass", truth, guesses)
    assert sums.metrics()["precision"] == close(expected)
    assert sums.by_class()["precision"].keys() == {"a", "b"}


def test_undefined_metrics_are_absent() -> None:
    for task in ("regression", "binary", "multiclass"):
        assert PerformanceSums(task).metrics() == {}
        assert PerformanceSums(task).by_class() == {}
    assert "r2" not in added("regression", [3.0, 3.0], [1.0, 2.0]).metrics()
    assert "r2" not in regression_metrics([0.1] * 7, [1.0] * 7)
    assert added("binary", ["0"], ["0"]).metrics() == {"accuracy": 1.0}
    assert added("binary", ["1"], ["0"]).metrics() == {"accuracy": 0.0, "recall": 0.0, "f1": 0.0}


def test_what_cannot_be_compared_is_not_counted() -> None:
    regression, binary = PerformanceSums("regression"), PerformanceSums("binary")
    for label, guess in (
        (1.0, None),
        ("late", 1.0),
        (math.nan, 1.0),
        (1.0, 10**400),
        (-1.7e308, 1.7e308),
    ):
        assert not regression.add(label, guess)
        assert not regression.remove(label, guess)
    pairs: tuple[tuple[object, object], ...] = ((1, None), (math.nan, 1), (1, math.inf), ([1], 1))
    for truth, prediction in pairs:
        assert not binary.add(truth, prediction)
    assert (regression.rows, binary.rows, regression.metrics(), binary.metrics()) == (0, 0, {}, {})
    assert binary.add(10**400, 10**400)


@pytest.mark.parametrize(
    "shares",
    [{"1": 1.5, "0": -0.5}, {"1": math.nan, "0": 0.5}, {"1": 0.2, "0": 0.1}, {"1": 3.2}],
)
def test_what_is_no_distribution_counts_for_the_class_only(shares: dict[str, float]) -> None:
    sums = PerformanceSums("binary")
    assert sums.add(1, 1, shares)
    assert sums.metrics() == {"accuracy": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_a_certain_wrong_answer_costs_a_finite_loss() -> None:
    sums = PerformanceSums("binary")
    sums.add(1, 0, {"0": 1.0, "1": 0.0})
    expected = sklearn_metrics.log_loss([1], [[1.0, 0.0]], labels=[0, 1])
    assert sums.metrics()["log_loss"] == close(expected)


rows = st.tuples(
    st.sampled_from([0.0, 1.0, 2.5, 1e9, "x"]),
    st.sampled_from([0.0, 1.0, 1e-9, "x", None]),
    st.sampled_from([{}, {"0": 0.25, "1": 0.75}, {"1": 0.1}, {"a": 0.3, "b": 0.3, "1": 0.4}]),
)


@settings(max_examples=150)
@given(
    st.sampled_from(["regression", "binary", "multiclass"]), st.lists(rows, max_size=15), st.data()
)
def test_order_panes_and_corrections_never_show(
    task: Task, kept: list[tuple[object, object, dict[str, float]]], data: st.DataObject
) -> None:
    gone = data.draw(st.lists(rows, max_size=6))
    order = data.draw(
        st.permutations([(row, True) for row in kept] + [(row, False) for row in gone])
    )
    panes = [PerformanceSums(task), PerformanceSums(task)]
    where = [data.draw(st.integers(0, 1)) for _ in order]
    for pane, (row, _) in zip(where, order, strict=True):
        panes[pane].add(*row)
    changes = [PerformanceSums(task), PerformanceSums(task)]
    for pane, (row, stays) in zip(where, order, strict=True):
        if not stays:
            data.draw(st.sampled_from([panes[pane], changes[pane]])).remove(*row)
    straight = PerformanceSums(task)
    for row in kept:
        straight.add(*row)
    total = (panes[1] + changes[1]) + (changes[0] + panes[0])
    assert total.rows == straight.rows
    assert total.metrics() == straight.metrics()
    assert total.by_class() == straight.by_class()
    assert total.intervals() == straight.intervals()
    assert total.confusion == straight.confusion


def test_tasks_do_not_add_up() -> None:
    with pytest.raises(StatisticsError, match="add up"):
        PerformanceSums("regression") + PerformanceSums("binary")


def test_classes_are_bounded_and_accuracy_stays_exact() -> None:
    sums = ClassificationSums(binary=False)
    draw = random.Random(5)
    pairs = [(f"c{draw.randrange(5000)}", f"c{draw.randrange(5000)}") for _ in range(4000)]
    pairs += [(label, label) for label, _ in pairs[::2]]
    for label, guess in pairs:
        sums.add(label, guess)
    both = sums + sums
    expected = sum(label == guess for label, guess in pairs) / len(pairs)
    assert sums.metrics()["accuracy"] == both.metrics()["accuracy"] == close(expected)
    assert len(sums.by_class()["f1"]) <= MAX_CLASSES
    for label, guess in pairs:
        sums.remove(label, guess)
    assert (sums.rows, sums.metrics()) == (0, {})


@pytest.mark.parametrize("spread", [0.05, 1.0, 4.0])
@pytest.mark.parametrize("rate", [0.002, 0.5])
def test_the_binned_area_is_within_its_bound_and_the_stated_one(spread: float, rate: float) -> None:
    draw = np.random.default_rng(11)
    truth = draw.random(20_000) < rate
    logits = math.log(rate) + spread * draw.normal(truth * 1.0, 1.0)
    scores = 1 / (1 + np.exp(-logits))
    histogram = ScoreHistogram()
    for score, of_class in zip(scores.tolist(), truth.tolist(), strict=True):
        histogram.count(score, of_class, 1)
    exact = sklearn_metrics.roc_auc_score(truth, scores)
    found = histogram.auc()
    assert found is not None
    assert abs(found - exact) <= histogram.bound() + 1e-12
    assert abs(found - exact) <= 0.002
    precision = histogram.average_precision()
    assert spread < 1 or precision == pytest.approx(
        sklearn_metrics.average_precision_score(truth, scores), abs=0.002
    )


def test_the_counter_never_goes_down_and_equals_plain_sums() -> None:
    truth, guesses = regression_rows(1, 200)
    total = PerformanceCounter("regression")
    for label, guess in zip(truth, guesses, strict=True):
        assert total.add(label, guess)
    assert not total.add("late", 1.0)
    errors = np.subtract(guesses, truth)
    assert total.absolute_error == close(np.abs(errors).sum())
    assert total.squared_error == close((errors**2).sum())
    assert (total.labels, total.correct) == (200, 0)
    count = PerformanceCounter("multiclass")
    assert [count.add("a", "a"), count.add("a", "b"), count.add("a", None)] == [True, True, False]
    assert (count.labels, count.correct, count.absolute_error) == (2, 1, 0.0)


def test_columns_must_match() -> None:
    with pytest.raises(StatisticsError, match="different lengths"):
        regression_metrics([1.0], [1.0, 2.0])
    with pytest.raises(StatisticsError, match="different lengths"):
        classification_metrics(["a"], ["a"], {"a": [0.5, 0.5]})
