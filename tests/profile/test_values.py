"""What counts as a number, a category, a boolean, missing, invalid; nothing raises."""

from __future__ import annotations

import datetime as dt
import decimal
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profile import values as read
from monitor.profile.grid import BooleanGrid, CategoryGrid
from monitor.profile.values import INVALID, MISSING, Coded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ANYTHING = (
    JSON | st.binary() | st.complex_numbers() | st.decimals() | st.datetimes() | st.builds(object)
)


@pytest.mark.parametrize(
    ("value", "number", "category", "boolean"),
    [  # None: invalid as a number
        (None, math.nan, MISSING, None),
        ("", math.nan, MISSING, None),
        (math.nan, math.nan, MISSING, None),
        (math.inf, math.inf, MISSING, None),
        (float("1e400"), math.inf, MISSING, None),
        (1, 1.0, "1", True),
        (1.0, 1.0, "1", True),
        ("1", None, "1", INVALID),
        (0, 0.0, "0", False),
        (-0.0, 0.0, "0", False),
        (True, 1.0, "true", True),
        (False, 0.0, "false", False),
        ("true", None, "true", True),
        ("False", None, "False", False),
        (2.5, 2.5, "2.5", INVALID),
        ("3.5", None, "3.5", INVALID),
        ("NaN", None, "NaN", INVALID),
        (10**30, 1e30, "1" + "0" * 30, INVALID),
        (10**400, None, INVALID, INVALID),
        pytest.param(10**5000, None, INVALID, INVALID, id="5001 digits"),
        ([1], None, INVALID, INVALID),
        ({"a": 1}, None, INVALID, INVALID),
        (b"x", None, INVALID, INVALID),
        (1j, None, INVALID, INVALID),
        (np.float32(0.5), 0.5, "0.5", INVALID),
        (np.int64(7), 7.0, "7", INVALID),
        (np.bool_(True), 1.0, "true", True),
        (np.str_("a"), None, "a", INVALID),
        (decimal.Decimal("2.5"), 2.5, "2.5", INVALID),
        (decimal.Decimal("sNaN"), None, MISSING, INVALID),
        (dt.date(2013, 1, 2), None, "2013-01-02", INVALID),
        ("a\x00b", None, "a\ufffdb", INVALID),
        ("\ud800", None, "?", INVALID),
        ("x" * 1000, None, "x" * 128, INVALID),
        (MISSING, None, "\ufffdmissing", INVALID),
    ],
)
def test_the_rules(value: object, number: float | None, category: str, boolean: object) -> None:
    found = read.number(value)
    assert (found is None) == (number is None)
    assert found is None or number is None or found == number or math.isnan(number)
    assert read.category(value) == category
    assert read.boolean(value) is boolean or read.boolean(value) == boolean


@given(st.lists(ANYTHING, max_size=8))
def test_nothing_raises_and_columns_agree_with_single_values(column: list[object]) -> None:
    numbers, invalid = read.numbers(column)
    assert len(numbers) == len(column)
    for i, value in enumerate(column):
        expected = read.number(value)
        assert (expected is None) == (invalid is not None and bool(invalid[i]))
        if expected is not None:
            assert numbers[i] == expected or (math.isnan(numbers[i]) and math.isnan(expected))
    grid = CategoryGrid(("a", "1", "true"), ("0", "x"))
    cells = [grid.lookup.get(read.category(value), 4) for value in column]
    assert grid.codes(column).tolist() == cells
    expected_cells = {False: 0, True: 1, None: 2, INVALID: 3}
    assert BooleanGrid().codes(column).tolist() == [
        expected_cells[read.boolean(value)] for value in column
    ]


@given(st.lists(st.none() | st.text(max_size=3) | st.booleans() | st.floats(), max_size=20))
def test_coded_columns_are_read_as_the_plain_ones(column: list[object]) -> None:
    distinct: list[object] = []
    codes = []
    for value in column:
        if value is None:
            codes.append(-1)
            continue
        codes.append(len(distinct))
        distinct.append(value)
    coded = Coded(np.array(codes, dtype=np.int64), distinct)
    assert len(coded) == len(column)
    assert [repr(value) for value in coded] == [repr(value) for value in column]
    assert [repr(value) for value in coded[1:3]] == [repr(value) for value in column[1:3]]
    for grid in (CategoryGrid(("a", "0"), ("b",)), BooleanGrid()):
        assert grid.codes(coded).tolist() == grid.codes(column).tolist()
    ours, wrong = read.numbers(coded)
    plain, plain_wrong = read.numbers(column)
    np.testing.assert_array_equal(ours, plain)
    assert (wrong is None) == (plain_wrong is None)


def test_arrays_are_read_as_lists() -> None:
    array = np.array([1.0, np.nan, 2.0, 1.0])
    grid = CategoryGrid(("1",), ())
    assert grid.codes(array).tolist() == grid.codes(array.tolist()).tolist() == [0, 3, 2, 0]
    numbers, _ = read.numbers(np.array(["a", "b"]))
    assert np.isnan(numbers).all()
    numbers, _ = read.numbers(np.array([True, False]))
    assert numbers.tolist() == [1.0, 0.0]
