"""No single value of any size makes a window surprising, or hides that it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitor.profile.assess import Assessor
from monitor.profile.build import Rows, build_from_columns

REFERENCE = np.random.default_rng(1).normal(size=10_000)


def assessed(values: list[float]) -> tuple[float, float]:
    """p as it is published, and as looks are screened."""
    reference = build_from_columns(Rows({"x": REFERENCE.tolist()}, {}), created_at=0.0)
    assessor = Assessor(reference.layout, reference.counts)
    counts = reference.layout.count({"x": values}, {}).counts
    screened, _ = assessor.p_values(counts.cells[None], np.array([counts.rows]))
    return float(assessor.assess(counts).p_value[0]), float(screened[0, 0])


@pytest.mark.parametrize("outlier", [5.0, -1e3, 1e6, -1e300])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_p_is_that_of_the_other_rows(outlier: float, shift: float) -> None:
    others = (np.random.default_rng(2).normal(size=49) + shift).clip(-3, 3).tolist()
    expected: Any = pytest.approx(assessed(others)[0], rel=1e-9)
    assert assessed([outlier, *others]) == (expected, expected)


def test_a_second_one_counts_and_so_do_many() -> None:
    others = np.random.default_rng(3).normal(size=98).clip(-3, 3).tolist()
    none, one, two = (assessed([*others, *[1e6] * count])[0] for count in (0, 1, 2))
    assert one == pytest.approx(none, rel=1e-9)
    assert two < one
    assert assessed([*others, *[1e6] * 20])[0] < 1e-7
    assert assessed([1e6] * 100)[0] < 1e-30
