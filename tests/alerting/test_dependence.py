"""Pairs of features that depend on each other anew: found, named, and hardly ever imagined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.alerting.policy import ColumnRule, DriftPolicy, Judge
from monitor.engine import Engine, EngineSettings
from monitor.profile import reference as files
from monitor.profile.assess import CORRELATION, PCA
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.dependence import DependenceAssessor
from monitor.profile.projection import Products
from monitor.profile.reference import Reference
from monitor.records.batch import Batch
from monitor.snapshot import Health, Reading, Status

Table = Mapping[str, NDArray[np.float64]]
POLICY = DriftPolicy(min_rows=50)
MOVED = {Status.WARNING, Status.DRIFT}


def draw(seed: int, rows: int, rho: float = 0.0, *, pair: tuple[int, int] = (0, 1)) -> Table:
    """Six columns, two of them lognormal, two of Student's t(3); `rho` between the ranks of two."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(6, rows))
    one, other = pair
    table[other] = rho * table[one] + np.sqrt(1 - rho**2) * table[other]
    table[2:4] = np.exp(table[2:4])
    table[4:] *= np.sqrt(3.0 / random.chisquare(3, (2, rows)))
    return {f"c{i}": column for i, column in enumerate(table)}


def build(rho: float = 0.0) -> Reference:
    built = build_from_columns(Rows(draw(0, 10_000, rho), {}), created_at=0.0)
    return files.parse(files.render(built))


@pytest.fixture(scope="module")
def independent() -> Reference:
    return build()


def read(reference: Reference, table: Table, policy: DriftPolicy = POLICY) -> Reading:
    counted = reference.layout.count(table, {})
    readings = Judge(reference).readings(counted.counts, policy, counted.details)
    return next(one for one in readings if one.column == "multivariate")


@pytest.mark.parametrize("pair", [(0, 1), (2, 3), (0, 5)])
@pytest.mark.parametrize("rho", [0.5, -0.5])
def test_a_new_dependence_is_found_in_200_rows(
    independent: Reference, pair: tuple[int, int], rho: float
) -> None:
    found = [read(independent, draw(seed, 200, rho, pair=pair)) for seed in range(1, 9)]
    assert all(one.status in MOVED for one in found)
    assert sum(one.status is Status.DRIFT for one in found) >= 6
    way = "rose" if rho > 0 else "fell"
    words = f"correlation of c{pair[0]} and c{pair[1]} {way} from "
    assert all(words in one.explanation for one in found)


def test_a_sign_that_flips_is_found_in_100_rows() -> None:
    reference = build(0.5)
    for seed in range(1, 6):
        found = read(reference, draw(seed, 100, -0.5))
        assert found.status is Status.DRIFT
        assert "correlation of c0 and c1 fell from 0.49 to -0." in found.explanation


def test_the_reading_is_the_pairs_where_the_error_of_rows_is_calm(independent: Reference) -> None:
    found = read(independent, draw(3, 500, 0.4))
    assert found.method == CORRELATION
    assert found.score == pytest.approx(0.4, abs=0.15)
    assert found.threshold == POLICY.min_effect
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.scores[CORRELATION] == found.score
    calm = read(independent, draw(3, 500))
    assert (calm.status, calm.method) == (Status.OK, PCA)
    assert 0 < calm.scores[CORRELATION] < 0.25


@pytest.mark.parametrize("rows", [50, 100, 200, 500, 1000])
def test_without_a_change_hardly_a_window_warns(independent: Reference, rows: int) -> None:
    layout, judge = independent.layout, Judge(independent)
    windows = 150
    table = draw(5, rows * windows)
    moved = 0
    for start in range(0, rows * windows, rows):
        part = {name: column[start : start + rows] for name, column in table.items()}
        counted = layout.count(part, {})
        found = judge.findings(counted.counts, POLICY, counted.details.products)
        assert not found.pairs.drift.any()
        moved += bool(found.pairs.warning.any())
    assert moved <= 0.015 * windows + 2.0


def test_no_single_value_raises_or_hides_it(independent: Reference) -> None:
    for huge in (1e6, -1e300):
        for rho in (0.0, 0.5):
            table = {name: column.copy() for name, column in draw(6, 200, rho).items()}
            for column, sign in (("c0", 1), ("c1", -1)):
                table[column][0] = sign * huge
            status = read(independent, table).status
            assert status is (Status.DRIFT if rho else Status.OK)


def test_a_column_that_drifts_by_itself_says_so_itself(independent: Reference) -> None:
    """Frozen, it has lost every dependence; that is no second alert."""
    reference = build(0.5)
    table = {**draw(7, 500, 0.5), "c1": np.full(500, 0.25)}
    counted = reference.layout.count(table, {})
    found = Judge(reference).findings(counted.counts, POLICY, counted.details.products)
    assert found.values.drift.tolist()[1]
    assert not found.pairs.drift.any()


def test_pairs_are_one_test_among_the_others(independent: Reference) -> None:
    counted = independent.layout.count(draw(8, 500), {})
    judge = Judge(independent)
    without = judge.findings(counted.counts, POLICY).level
    beside = judge.findings(counted.counts, POLICY, counted.details.products).level
    assert 0.85 < beside / without < 1.0


def test_two_rare_values_that_meet_once_are_no_news() -> None:
    random = np.random.default_rng(9)
    rare = {name: (random.random(10_000) < 0.01).astype(np.float64) for name in "ab"}
    reference = build_from_columns(Rows({**rare, **draw(0, 10_000)}, {}), created_at=0.0)
    window = {"a": np.zeros(200), "b": np.zeros(200), **draw(1, 200)}
    window["a"][:2] = window["b"][:2] = 1.0  # a correlation of 1
    assert read(reference, window).status is Status.OK


def test_pairs_by_brute_force(independent: Reference) -> None:
    table = draw(10, 400, 0.5)
    layout = independent.layout
    codes = layout.codes({(name, "feature"): one for name, one in table.items()}, 400, None,
                         np.zeros((7, 3)))  # fmt: skip
    scores = layout.scores(codes, 400)
    changes = DependenceAssessor(layout, independent.counts).assess(Products.of(scores), 0.0)
    assert changes.pairs == len(changes.now) == 15
    now = np.asarray(np.corrcoef(scores))
    np.testing.assert_allclose(changes.now, now[changes.first, changes.second])
    assert (changes.first[0], changes.second[0]) == (0, 1)
    assert (np.diff(changes.p_value) >= 0).all()
    assert changes.farthest == pytest.approx(np.abs(changes.now - changes.before).max())


def test_many_columns_take_part_up_to_64() -> None:
    random = np.random.default_rng(0)
    reference = build_from_columns(
        Rows({f"c{i}": random.normal(size=5000) for i in range(120)}, {}), created_at=0.0
    )
    window = {f"c{i}": random.normal(size=100) for i in range(120)}
    products = reference.layout.count(window, {}).details.products
    assert products is not None
    assert products.sums.nbytes == 65 * 65 * 8


def test_an_older_reference_names_pairs_and_decides_by_the_error_only() -> None:
    document = files.render(build())
    for column in document["columns"]:
        column.get("projection", {}).pop("spread", None)
    del document["digest"]
    found = read(files.parse(document), draw(3, 200, 0.5))
    assert found.method == PCA
    assert CORRELATION not in found.scores


def test_a_rule_of_ones_own_is_left_alone(independent: Reference) -> None:
    policy = replace(POLICY, columns={"multivariate": ColumnRule("wasserstein", 9.0)})
    assert read(independent, draw(3, 500, 0.5), policy).status is Status.OK


def test_the_engine_finds_it_live_and_over_a_restart(independent: Reference) -> None:
    settings = EngineSettings(window_seconds=600.0, pane_seconds=60.0)
    engines = [Engine(settings, independent) for _ in range(2)]
    at = 1_000_000.0
    table = {name: column.tolist() for name, column in draw(11, 300, 0.5).items()}
    engines[0].observe(Batch([str(i) for i in range(300)], [0] * 300, [at] * 300, table, {}))
    assert engines[0].panes is not None
    assert engines[1].panes is not None
    engines[1].panes.restore(engines[0].panes.changed())
    for engine in engines:
        snapshot = engine.evaluate(at + 1, Health(observing=True)).snapshot
        found = next(one for one in snapshot.readings if one.column == "multivariate")
        assert (found.status, found.method) == (Status.DRIFT, CORRELATION)
        (alert,) = [one for one in snapshot.alerts if one.labels.get("column") == "multivariate"]
        assert "correlation of c0 and c1 rose from" in alert.annotations["description"]
