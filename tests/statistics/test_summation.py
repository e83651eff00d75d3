"""Exact sums against fractions, whatever the order."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StatisticsError
from monitor.statistics.summation import ExactSum, squared_deviations

floats = st.floats(allow_nan=False, allow_infinity=False)
terms = st.lists(floats, max_size=30)


def summed(values: list[float]) -> ExactSum:
    total = ExactSum()
    for value in values:
        total.add(value)
    return total


@given(st.lists(st.floats(-1e300, 1e300), max_size=30))
def test_the_value_is_the_true_sum_rounded_once(values: list[float]) -> None:
    assert summed(values).value() == float(sum(map(Fraction, values), Fraction()))


@given(st.lists(st.floats(-1e150, 1e150), max_size=30))
def test_squares_too(values: list[float]) -> None:
    total = ExactSum()
    for value in values:
        total.add_square(value)
    assert total.value() == float(sum(Fraction(value) ** 2 for value in values))


@given(st.data(), terms)
def test_neither_order_nor_grouping_shows(data: st.DataObject, values: list[float]) -> None:
    other = data.draw(st.permutations(values))
    cut = data.draw(st.integers(0, len(values)))
    assert summed(other[:cut]) + summed(other[cut:]) == summed(values)


@given(terms, terms)
def test_what_is_taken_back_leaves_no_trace(kept: list[float], gone: list[float]) -> None:
    total = summed(gone + kept)
    for value in gone:
        total.subtract(value)
        total.add_square(value)
        total.subtract_square(value)
    assert total == summed(kept)
    assert summed(kept + gone) - summed(gone) == summed(kept)


@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=30))
def test_squared_deviations_are_exact(values: list[float]) -> None:
    squares = ExactSum()
    for value in values:
        squares.add_square(value)
    mean = sum(map(Fraction, values)) / len(values)
    expected = float(sum((Fraction(value) - mean) ** 2 for value in values))
    assert squared_deviations(summed(values), squares, len(values)) == expected
    assert math.isclose(
        expected, statistics.pvariance(map(Fraction, values)) * len(values), rel_tol=1e-12
    )


def test_a_sum_beyond_the_largest_float_is_infinite_but_its_mean_is_not() -> None:
    total = summed([1.7e308] * 4)
    assert total.value() == math.inf
    assert total.mean(4) == 1.7e308
    assert summed([-1.7e308] * 4).value() == -math.inf


@pytest.mark.parametrize("term", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_cannot_be_summed(term: float) -> None:
    with pytest.raises(StatisticsError, match="not finite"):
        ExactSum().add(term)
