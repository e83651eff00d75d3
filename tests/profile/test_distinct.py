"""How many different names came: within a few percent, and the same however the rows were split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profile.build import Rows, build_from_columns
from monitor.profile.distinct import Distinct


@pytest.mark.parametrize("count", [1, 10, 300, 3000, 50_000])
@pytest.mark.parametrize("form", ["user-{:d}", "{:08x}", "{:d}"])
def test_the_estimate_is_within_a_tenth(count: int, form: str) -> None:
    estimate = Distinct.of(form.format(i) for i in range(count)).estimate
    assert estimate == pytest.approx(count, rel=0.1)


def test_repeats_change_nothing() -> None:
    once = Distinct.of(f"n{i}" for i in range(500))
    assert (once + once).estimate == Distinct.of(f"n{i % 500}" for i in range(5000)).estimate


@given(st.lists(st.text(max_size=5), max_size=40), st.lists(st.text(max_size=5), max_size=40))
def test_two_sketches_add_up(one: list[str], other: list[str]) -> None:
    both = Distinct.of(one) + Distinct.of(other)
    assert np.array_equal(both.registers, Distinct.of([*one, *other]).registers)
    assert np.array_equal(both.registers, (Distinct.of(other) + Distinct.of(one)).registers)
    assert (Distinct() + both).estimate == both.estimate


def test_reference_and_window_know_how_many_names_they_hold() -> None:
    random = np.random.default_rng(0)
    names = [f"n{i}" for i in random.integers(0, 3000, 20_000)]
    reference = build_from_columns(Rows({"x": names}, {}), created_at=0.0)
    assert reference.columns[0].distinct == len(set(names))
    window = [f"n{i}" for i in random.integers(0, 6000, 4000)]
    sketch = reference.layout.count({"x": window}, {}).details.infrequent["x", "feature"]
    others = len(set(window) - set(reference.columns[0].column.categories))
    assert sketch.estimate == pytest.approx(others, rel=0.1)
