"""Thresholds that come from the reference's own ups and downs."""

from __future__ import annotations

import math

import pytest

from monitor.performance.thresholds import Deviations, Threshold, resolved
from monitor.profile.reference import ReferencePerformance
from monitor.statistics.direction import beyond

REFERENCE = ReferencePerformance(
    10_000,
    {"rmse": 2.0, "r2": 0.9, "mean_error": -0.1},
    chunk_rows=500,
    spread={"rmse": (2.1, 0.2), "r2": (0.88, 0.02), "mean_error": (-0.1, 0.05)},
)


def test_towards_the_worse_and_wider_for_few_labels_but_never_narrower() -> None:
    three = {name: Deviations(3.0) for name in REFERENCE.spread}
    assert resolved(three, REFERENCE, 500) == pytest.approx(
        {"rmse": 2.7, "r2": 0.82, "mean_error": 0.25}
    )
    assert resolved(three, REFERENCE, 50_000) == resolved(three, REFERENCE, 500)
    few = resolved(three, REFERENCE, 125)
    assert few["rmse"] == pytest.approx(2.1 + 0.6 * 2)
    assert few["r2"] == pytest.approx(0.88 - 0.06 * 2)
    assert math.isfinite(resolved(three, REFERENCE, 0)["rmse"])


def test_fixed_ones_stay_and_what_has_no_chunks_has_no_threshold() -> None:
    given: dict[str, Threshold] = {"rmse": 45.0, "mae": Deviations(3.0)}
    assert resolved(given, REFERENCE, 500) == {"rmse": 45.0}
    assert resolved(given, None, 500) == {"rmse": 45.0}
    assert resolved({"rmse": Deviations(2.0)}, ReferencePerformance(9, {"rmse": 1.0}), 500) == {}


def test_every_metric_knows_its_worse_side() -> None:
    assert beyond("f1_weighted", 0.4, 0.5)
    assert beyond("calibration_error", 0.2, 0.1)
    assert not beyond("average_precision", 0.5, 0.5)
    assert beyond("mean_error", -3.0, 2.0)
