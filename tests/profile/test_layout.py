"""Everything counted can be merged, and one pass over a batch is what counting row by row would
give."""

from __future__ import annotations

import math
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StatisticsError
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference

NUMBER = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), NUMBER, st.sampled_from(["a", "b", "z", ""])
)
NAMES = ("number", "count", "name", "truth")
COLUMNS = st.integers(0, 12).flatmap(
    lambda rows: st.fixed_dictionaries(
        {name: st.lists(VALUE, min_size=rows, max_size=rows) for name in NAMES}
    )
)


@pytest.fixture(scope="module")
def reference() -> Reference:
    random = np.random.default_rng(0)
    features = {
        "number": random.normal(size=400),
        "count": random.integers(0, 4, 400).tolist(),
        "name": random.choice(["a", "b", "c"], 400).tolist(),
        "truth": (random.random(400) < 0.3).tolist(),
    }
    outputs = {"prediction": random.normal(size=400)}
    rows = Rows(features, outputs, {"x": random.random(400)}, random.normal(size=400))
    return build_from_columns(rows, created_at=0.0)


def count(layout: Layout, columns: dict[str, list[object]]) -> Counts:
    return layout.count(columns, {}).counts


def close(one: Counts, other: Counts) -> bool:
    same = one.rows == other.rows and np.array_equal(one.cells, other.cells)
    return same and np.allclose(one.moments, other.moments, rtol=1e-9, atol=1e-9)


def joined(*parts: dict[str, list[object]]) -> dict[str, list[object]]:
    return {name: [value for part in parts for value in part[name]] for name in NAMES}


@given(a=COLUMNS, b=COLUMNS, c=COLUMNS)
def test_merging_is_counting_together(
    reference: Reference,
    a: dict[str, list[object]],
    b: dict[str, list[object]],
    c: dict[str, list[object]],
) -> None:
    layout = reference.layout
    one, two, three = (count(layout, part) for part in (a, b, c))
    assert one + layout.identity == one == layout.identity + one
    assert close(one + two, two + one)
    assert close((one + two) + three, one + (two + three))
    assert close(one + two + three, count(layout, joined(a, b, c)))


@given(columns=COLUMNS)
def test_every_row_of_every_column_is_in_one_cell(
    reference: Reference, columns: dict[str, list[object]]
) -> None:
    layout = reference.layout
    counts = count(layout, columns)
    rows = len(columns["number"])
    bins = layout.bin_counts(counts)
    for i, profile in enumerate(layout.columns):
        assert counts.cells[layout.cell_slice(i)].sum() == rows
        assert bins[layout.bin_slice(i)].sum() == rows
        assert len(profile.bins) == len(bins[layout.bin_slice(i)])


@given(columns=COLUMNS)
def test_a_batch_is_its_rows(reference: Reference, columns: dict[str, list[object]]) -> None:
    layout = reference.layout
    single = (
        count(layout, {name: [column[i]] for name, column in columns.items()})
        for i in range(len(columns["number"]))
    )
    assert close(reduce(add, single, layout.identity), count(layout, columns))


def test_values_fall_where_they_belong(reference: Reference) -> None:
    layout = reference.layout
    counted = layout.count(
        {
            "number": [None, "3.5", 1e300, -1e300, [1]],
            "count": [0, 3, True, 2.5, 10**400],
            "name": ["a", "new", None, 1, {}],
            "truth": [True, 0, "true", 2, None],
        },
        {"prediction": [math.nan, math.inf, 0.0, "x", 0.0]},
        {"x": [0.5] * 5},
    )
    bins = layout.bin_counts(counted.counts)
    found = {}
    for i, profile in enumerate(layout.columns):
        held = dict(zip(profile.bins, bins[layout.bin_slice(i)].tolist(), strict=True))
        found[profile.column.name] = {name: n for name, n in held.items() if n}
    number = found["number"]
    assert number.pop("missing") == 1
    assert number.pop("invalid") == 2
    assert sorted(name[0] for name in number) == ["<", ">"]
    assert found["count"] == {"0": 1, "1": 1, "3": 1, "other": 1, "invalid": 1}
    assert found["name"] == {"a": 1, "unseen": 2, "missing": 1, "invalid": 1}
    assert found["truth"] == {"true": 2, "false": 1, "missing": 1, "invalid": 1}
    assert found["prediction"]["missing"] == 2
    assert counted.details.unexpected == {}
    assert counted.absent == ()


def test_absent_columns_are_missing_and_unexpected_ones_are_named(reference: Reference) -> None:
    counted = reference.layout.count(
        {"name": ["a", "b"], **{f"q{i}": [1, 2] for i in range(50)}}, {}
    )
    assert counted.absent == ("number", "count", "truth", "prediction", "probability:x")
    assert counted.details.unexpected == {(f"q{i}", "feature"): 2 for i in range(20)}
    index = reference.layout.index["number", "feature"]
    assert counted.counts.cells[reference.layout.cell_slice(index)][-2] == 2


def test_labels_are_counted_on_their_own(reference: Reference) -> None:
    counted = reference.label_layout.count({}, {}, None, [1.0, None, 2.0])
    assert counted.counts.rows == 3
    assert counted.counts.moments[0, 0] == 2
    assert reference.layout.count({}, {}).counts == reference.layout.identity


@pytest.mark.parametrize("huge", [1e308, -1e308, 1e200])
def test_moments_stay_finite_and_otherwise_true(reference: Reference, huge: float) -> None:
    random = np.random.default_rng(1)
    values = random.normal(5.0, 2.0, 1000)
    counts = reference.layout.count({"number": values}, {}).counts
    grid = reference.layout.columns[0].grid
    n, first, second = counts.moments[0]
    assert n == 1000
    assert grid.centre + first / n == pytest.approx(values.mean())  # type: ignore[union-attr]
    assert math.sqrt(second / n - (first / n) ** 2) == pytest.approx(values.std())
    hit = reference.layout.count({"number": [huge, 1.0, math.nan]}, {}).counts
    assert np.isfinite((hit + counts).moments).all()
    assert hit.moments[0, 0] == 2


def test_columns_of_different_length_are_the_callers_mistake(reference: Reference) -> None:
    with pytest.raises(StatisticsError, match="length"):
        reference.layout.count({"number": [1.0], "name": ["a", "b"]}, {})


def test_counts_of_different_layouts_do_not_add_up(reference: Reference) -> None:
    with pytest.raises(StatisticsError):
        reference.counts + reference.label_counts
    assert reference.counts != reference.label_counts
    assert reference.counts != 1


def test_two_columns_of_one_name_and_role_are_refused(reference: Reference) -> None:
    with pytest.raises(StatisticsError, match="one name"):
        Layout([reference.columns[0], reference.columns[0]])
