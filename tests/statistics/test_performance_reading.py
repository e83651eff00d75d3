"""How labels and predictions are read: as numbers, as classes, as a task."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.errors import StatisticsError
from monitor.statistics.classes import class_name, number, positive_class
from monitor.statistics.performance import (
    PerformanceSums,
    classification_metrics,
    infer_task,
    label_fault,
)


def test_models_and_labels_may_write_a_class_differently() -> None:
    for label, guess in ((True, 1), ("1", 1.0), ("1.0", True), ("true", True), ("True", "1")):
        assert class_name(label) == class_name(guess) == "1"
    assert len({class_name(one) for one in ("007", "7", "07", "7.50", 7.5, "cat", "")}) == 7
    assert class_name(2**62) == class_name(float(2**62))
    texts: tuple[object, ...] = (" 1.5 ", "1_0", "٣", "inf", None, [1])
    assert [number(one) for one in texts] == [1.5] + [None] * 5
    assert positive_class(["b", "a"]) == "b"
    assert positive_class(["a"]) is None
    assert PerformanceSums("binary", positive="ham").add("ham", "ham")
    assert (
        classification_metrics(["ham", "spam"], ["ham", "ham"], positive="ham")["precision"] == 0.5
    )


def test_tasks_are_inferred_from_labels() -> None:
    assert infer_task([1.0, 2.5]) == "regression"
    assert infer_task(list(range(21))) == "regression"
    assert infer_task(np.array([3.0, 1.0, 2.0])) == "multiclass"
    assert infer_task([True, False, None, math.nan]) == "binary"
    assert infer_task(["1", "0", "1.0"]) == "binary"
    with pytest.raises(StatisticsError, match="no task"):
        infer_task([None, math.nan])


def test_faults_of_labels() -> None:
    assert label_fault("regression", True) is None
    assert label_fault("regression", math.inf) == "is not a finite number"
    assert label_fault("binary", math.nan) == "is not finite"
    assert label_fault("multiclass", ["a"]) == "is not a number, a boolean or text"
    assert label_fault("multiclass", "late") is None
