"""Concept drift: errors that rise are told, once and soon; errors that stay are not."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.performance.shift import ErrorStream
from monitor.records.label import Joined, Label, Prediction
from monitor.statistics.classes import Task


def joined(label: float | None, prediction: float, at: float) -> Joined:
    old = Label("p", 0, 0.0, at, at)
    if label is None:
        return Joined(Prediction("p", 0, at, prediction), None, old)
    return Joined(Prediction("p", 0, at, prediction), Label("p", 0, label, at, at))


def first_rise(stream: ErrorStream, wrong: np.ndarray, at: float = 0.0) -> int | None:
    for place, error in enumerate(wrong.tolist()):
        stream.add([joined(float(error), 0.0, at + place)])
        if stream.found(at + place) is not None:
            return place
    return None


@pytest.mark.parametrize(("before", "after", "delay"), [(0.1, 0.2, 700), (0.1, 0.3, 250)])
def test_a_rise_of_wrong_answers_is_found_soon(before: float, after: float, delay: int) -> None:
    places = []
    for seed in range(10):
        draw = np.random.default_rng(seed)
        rates = np.repeat([before, after], [3000, 2000])
        stream = ErrorStream("binary", None, 1e9)
        place = first_rise(stream, (draw.random(5000) < rates).astype(float))
        assert place is not None
        assert place >= 3000, "no false alarm before"
        found = stream.found(place)
        assert found is not None
        assert found.before < found.since
        places.append(place - 3000)
    assert float(np.mean(places)) < delay


@pytest.mark.parametrize("usual", [None, 2.0])
def test_errors_of_any_size_that_stay_as_they_are_are_no_shift(usual: float | None) -> None:
    draw = np.random.default_rng(1)
    errors = np.abs(draw.standard_t(2, 20_000)) * 2.0
    errors[::5000] = 1e12
    assert first_rise(ErrorStream("regression", usual, 1e9), errors) is None


def test_a_rise_of_absolute_errors_is_found_and_held_until_they_fall() -> None:
    draw = np.random.default_rng(2)
    errors = np.abs(draw.normal(0.0, np.repeat([1.0, 2.0], 2000)))
    stream = ErrorStream("regression", None, hold_seconds=5000.0)
    place = first_rise(stream, errors)
    assert place is not None
    assert 2000 <= place < 2400
    assert stream.found(place + 4999.0) is not None
    assert stream.found(place + 5001.0) is None
    stream = ErrorStream("regression", None, hold_seconds=1e9)
    first_rise(stream, errors)
    for at, error in enumerate(np.abs(draw.normal(0.0, 2.0, 500)).tolist()):
        stream.add([joined(error, 0.0, 4000.0 + at)])
    for at, error in enumerate(np.abs(draw.normal(0.0, 0.5, 2000)).tolist()):
        stream.add([joined(error, 0.0, 5000.0 + at)])
    assert stream.found(7000.0) is None


def test_what_cannot_be_compared_and_corrections_do_not_count() -> None:
    tasks: tuple[Task, ...] = ("binary", "regression")
    for task in tasks:
        stream = ErrorStream(task, 1.0, 1e9)
        stream.add([joined(None, 1.0, float(at)) for at in range(500)])
        label = Label("p", 0, "late" if task == "regression" else 1, 0.0, 0.0)
        stream.add([Joined(Prediction("p", 0, 0.0, None), label)] * 500)
        assert stream.found(0.0) is None
