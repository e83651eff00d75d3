"""All features together: what moves the error of a row, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from monitor.profile.build import Rows, build_from_columns
from monitor.profile.grid import CategoryGrid
from monitor.profile.projection import Products, correlations, fit
from monitor.profile.reference import Reference

NAMES = ("a", "b", "c", "d")


def draw(seed: int, rows: int, correlation: float = 0.8) -> dict[str, list[float]]:
    random = np.random.default_rng(seed)
    a, b, c, d = random.normal(size=(4, rows))
    both = correlation * a + np.sqrt(1 - correlation**2) * b
    return {"a": a.tolist(), "b": both.tolist(), "c": np.exp(c).tolist(), "d": d.tolist()}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_from_columns(Rows(draw(0, 5000), {}), created_at=0.0)


def test_the_correlation_is_that_of_normal_scores(reference: Reference) -> None:
    projection = reference.columns[-1].projection
    assert projection is not None
    assert projection.columns == NAMES
    table = np.array([draw(0, 5000)[name] for name in NAMES])
    expected = np.corrcoef(stats.norm.ppf(stats.rankdata(table, axis=1) / 5001))
    np.testing.assert_allclose(projection.correlation, expected, atol=0.04)  # a half of the rows


def test_the_error_is_what_the_left_axes_measure_in_their_own_deviations(
    reference: Reference,
) -> None:
    projection = reference.columns[-1].projection
    assert projection is not None
    scores = np.random.default_rng(1).normal(size=(4, 50))
    variances, axes = np.linalg.eigh(projection.correlation)
    kept = int(np.searchsorted(np.cumsum(variances[::-1]) / 4, 0.65)) + 1
    left = axes[:, : 4 - kept].T @ scores
    expected = np.sqrt((left**2 / np.maximum(variances[: 4 - kept, None], 0.05)).sum(axis=0))
    np.testing.assert_allclose(projection.errors(scores), expected, rtol=1e-9)


def test_products_add_up_to_the_correlation_of_all_rows() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 400)) + 2.0
    scores[1] += scores[0]
    whole = Products.of(scores)
    parts = Products.of(scores[:, :150]) + Products.of(scores[:, 150:])
    np.testing.assert_allclose(parts.sums, whole.sums, rtol=1e-9)
    np.testing.assert_allclose(whole.correlation, np.corrcoef(scores), rtol=1e-9)
    assert whole.rows == 400


def test_what_says_nothing_takes_no_part() -> None:
    random = np.random.default_rng(0)
    columns: dict[str, list[object]] = {
        "a": random.normal(size=2000).tolist(),
        "b": random.normal(size=2000).tolist(),
        "constant": [1.0] * 2000,
        "empty": [None] * 2000,
        "mostly missing": [1.0, None, None, 2.0, None] * 400,
        "names": [f"n{i}" for i in random.integers(0, 900, 2000)],
        "kind": random.choice(["x", "y"], 2000, p=[0.9, 0.1]).tolist(),
    }
    projection = build_from_columns(Rows(columns, {}), created_at=0.0).columns[-1].projection
    assert projection is not None
    assert projection.columns == ("a", "b", "kind")


def test_too_few_rows_or_columns_make_no_projection() -> None:
    few = build_from_columns(Rows(draw(0, 900), {}), created_at=0.0)
    one = build_from_columns(Rows({"a": draw(0, 5000)["a"]}, {}), created_at=0.0)
    for reference in (few, one):
        assert all(profile.projection is None for profile in reference.columns)
    assert fit({"k": CategoryGrid(("x",))}, {"k": np.zeros(1000, np.int64)}) is None


def test_of_many_columns_those_take_part_that_depend_on_another() -> None:
    random = np.random.default_rng(0)
    columns = {f"n{i}": random.normal(size=3000) for i in range(100)}
    columns["twin"] = columns["n77"] + 0.5 * random.normal(size=3000)
    projection = build_from_columns(Rows(columns, {}), created_at=0.0).columns[-1].projection
    assert projection is not None
    assert len(projection.columns) == 64
    assert {"n77", "twin"} <= set(projection.columns)


def test_a_feature_may_bear_the_same_name() -> None:
    columns = draw(0, 2000)
    columns["multivariate"] = columns.pop("d")
    names = [
        profile.column.name
        for profile in build_from_columns(Rows(columns, {}), created_at=0.0).columns
    ]
    assert names == ["a", "b", "c", "multivariate", "multivariate_"]


def test_the_file_holds_it(reference: Reference) -> None:
    from monitor.profile.reference import parse, render  # noqa: PLC0415 - only here

    again = parse(render(reference))
    rows = draw(3, 500)
    assert again.layout.count(rows, {}).counts == reference.layout.count(rows, {}).counts
    assert correlations(np.diag([4.0, 9.0])).tolist() == [[1.0, 0.0], [0.0, 1.0]]
