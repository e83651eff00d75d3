"""The demo's figures: what is compared with what, and when it cannot be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error

from examples.flights.journal import Answer, Journal, LabelPost, joined_table
from monitor.demo.history import History
from monitor.demo.sidecar import Counters, Look, read_counters, read_look
from monitor.demo.truth import compare_totals, compare_window, errors_offline

RNG = np.random.default_rng(7)
FLIGHTS = pd.DataFrame({"arr_delay": RNG.normal(5, 20, 12)})
PREDICTIONS = tuple(RNG.normal(5, 20, 12).tolist())
ANSWERS = [
    Answer("a", 0, PREDICTIONS[:1], 0.0),
    Answer("b", 1, PREDICTIONS[1:7], 0.0),
    Answer("c", 7, PREDICTIONS[7:], 0.0),
]
JOURNAL = Journal(
    ANSWERS,
    [LabelPost(10.0, 10.2, (ANSWERS[0],)), LabelPost(11.0, 11.2, (ANSWERS[1], ANSWERS[2]))],
)


def expected(rows: slice) -> tuple[float, float]:
    truth, predicted = FLIGHTS["arr_delay"][rows], PREDICTIONS[rows]
    squared = mean_squared_error(truth, predicted)
    return math.sqrt(squared), float(mean_absolute_error(truth, predicted))


def look(start: float, evaluated_at: float, rows: slice) -> Look:
    rmse, mae = expected(rows)
    performance = {"realised": {"rmse": rmse, "mae": mae, "rows": len(PREDICTIONS[rows])}}
    drift = {
        "evaluated_at": evaluated_at,
        "window": {"start": start, "end": evaluated_at, "rows": 5},
        "columns": [],
    }
    return read_look(drift, performance)


def test_offline_errors_are_those_of_sklearn() -> None:
    errors = errors_offline(joined_table(JOURNAL.posts, FLIGHTS))
    assert errors is not None
    assert (errors.rmse, errors.mae) == pytest.approx(expected(slice(0, 12)), rel=1e-12)


def test_a_window_holds_the_posts_that_arrived_in_it() -> None:
    comparison = compare_window(look(10.5, 12.0, slice(1, 12)), JOURNAL, FLIGHTS)
    assert comparison is not None
    assert comparison.agrees
    assert comparison.offline.rows == 11


@pytest.mark.parametrize(
    ("start", "evaluated_at"),
    [(11.1, 12.0), (10.5, 11.1), (13.0, 14.0)],
    ids=["the start falls into a post", "a post came after the look", "no post at all"],
)
def test_a_window_of_doubtful_rows_is_not_compared(start: float, evaluated_at: float) -> None:
    assert compare_window(look(start, evaluated_at, slice(1, 12)), JOURNAL, FLIGHTS) is None


def test_other_rows_or_another_figure_are_seen() -> None:
    fewer = compare_window(look(10.5, 12.0, slice(2, 12)), JOURNAL, FLIGHTS)
    assert fewer is not None
    assert not fewer.same_rows
    assert fewer.difference == math.inf
    right = look(10.5, 12.0, slice(1, 12))
    wrong = dataclasses.replace(
        right, realised={**right.realised, "mae": right.realised["mae"] * (1 + 1e-8)}
    )
    comparison = compare_window(wrong, JOURNAL, FLIGHTS)
    assert comparison is not None
    assert comparison.difference == pytest.approx(1e-8, rel=1e-3)
    assert not comparison.agrees


def test_totals_are_compared_by_their_sums() -> None:
    error = FLIGHTS["arr_delay"] - np.array(PREDICTIONS)
    counters = Counters(3, 12, 3, 0, 12, float(error.abs().sum()), float((error**2).sum()))
    comparison = compare_totals(counters, JOURNAL, FLIGHTS)
    assert comparison is not None
    assert comparison.agrees
    assert compare_totals(dataclasses.replace(counters, labels=0), JOURNAL, FLIGHTS) is None
    assert compare_totals(counters, Journal(), FLIGHTS) is None


def test_counters_are_added_over_series_but_not_over_segments() -> None:
    text = """
# TYPE sidelight_requests_total counter
sidelight_requests_total{code="200"} 5
sidelight_requests_total{code="502"} 1
# TYPE sidelight_observations_total counter
sidelight_observations_total{outcome="observed",reason=""} 4
sidelight_observations_total{outcome="dropped",reason="queue_full"} 1
sidelight_observations_total{outcome="failed",reason="rows_differ"} 2
# TYPE sidelight_predictions_total counter
sidelight_predictions_total 40
# TYPE sidelight_labels_total counter
sidelight_labels_total{segment="all"} 30
sidelight_labels_total{segment="carrier=UA"} 10
# TYPE sidelight_squared_error_total counter
sidelight_squared_error_total{segment="all"} 2.5
"""
    assert read_counters(text) == Counters(6, 40, 4, 3, 30, 0.0, 2.5)


def test_the_history_keeps_the_peak_and_the_first_drift() -> None:
    def seen(status: str, score: float | None, rmse: float) -> Look:
        column = {"column": "distance", "role": "feature", "method": "wasserstein"}
        drift = {
            "evaluated_at": "2026-01-01T00:00:00Z",
            "window": {"start": "2025-12-31T23:59:54+00:00", "rows": 9},
            "columns": [{**column, "status": status, "score": score, "threshold": 0.1}],
        }
        return read_look(drift, {"realised": {"rmse": rmse, "rows": 9}, "reference": None})

    history = History()
    months = pd.date_range("2013-04-01", periods=5, freq="MS")
    steps = [("insufficient", None), ("ok", 0.9), ("drift", 0.2), ("drift", 0.4), ("ok", 0.1)]
    for number, (month, (status, score)) in enumerate(zip(months, steps, strict=True)):
        history.see(seen(status, score, 20.0 - abs(number - 1)), month)
    column = history.drifted["feature", "distance"]
    assert (column.first_drift_at, column.peak_at, column.peak_score) == (months[2], months[3], 0.4)
    assert (column.status, history.drifting_now()) == ("ok", [])
    assert (history.worst_rmse, history.worst_rmse_at) == (20.0, months[1])
