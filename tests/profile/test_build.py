"""References from columns: kinds, tasks, and what the counts lead one to expect."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.errors import DataFileError
from monitor.profile.assess import Assessor
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.grid import CategoryGrid
from monitor.profile.reference import Reference
from monitor.profile.values import Coded
from monitor.schema import Kind


def kinds(reference: Reference) -> dict[str, Kind]:
    return {p.column.name: p.column.kind for p in reference.columns}


def bins(reference: Reference, name: str) -> dict[str, int]:
    for profile in reference.columns:
        if profile.column.name == name:
            counts = np.bincount(
                profile.grid.bin_of_cell, weights=profile.cells, minlength=len(profile.bins)
            )
            return {n: int(c) for n, c in zip(profile.bins, counts, strict=True) if c}
    raise KeyError(name)


def only(values: list[object]) -> Reference:
    return build_from_columns(Rows({"x": values}, {}), created_at=0.0)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], Kind.NUMERIC),
        ([1, 0, 1, 0], Kind.NUMERIC),
        ([True, False, None], Kind.BOOLEAN),
        (["true", "False"], Kind.BOOLEAN),
        ([True, 1, 0], Kind.NUMERIC),
        (["a", "b", None], Kind.CATEGORICAL),
        (["a", "b", 3], Kind.CATEGORICAL),
        ([1, 2, 3, "oops"], Kind.NUMERIC),
        (["a", float("nan"), float("nan"), float("nan")], Kind.CATEGORICAL),
        ([None, None], Kind.CATEGORICAL),
        ([[1], {}], Kind.CATEGORICAL),
        ([float("inf")], Kind.CATEGORICAL),
    ],
)
def test_the_kind_is_what_most_values_are(values: list[object], kind: Kind) -> None:
    assert kinds(only(values)) == {"x": kind}


def test_all_rows_are_counted() -> None:
    reference = only(["a"] * 5 + ["b"] * 3 + [None, "", [1]])
    assert bins(reference, "x") == {"a": 5, "b": 3, "missing": 2, "invalid": 1}
    assert bins(only([1] * 6 + [2] * 4 + ["?", None]), "x") == {
        "1": 6, "2": 4, "missing": 1, "invalid": 1,
    }  # fmt: skip


def test_rare_categories_are_other_and_singletons_say_how_often_the_next_is_unseen() -> None:
    values = [f"top{i}" for i in range(50) for _ in range(40)] + [
        f"two{i // 2}" for i in range(200)
    ]
    reference = only([*values, *(f"one{i}" for i in range(50))])
    found = bins(reference, "x")
    assert found["unseen"] == 50
    assert found["other"] == pytest.approx(200, abs=60)
    assert sum(found.values()) == 2250
    assert reference.columns[0].weight == 0.5
    live = reference.layout.count({"x": ["two1", "one1", "never"]}, {}).counts
    counts = dict(zip(reference.columns[0].bins, live.cells.tolist(), strict=True))
    assert (counts["other"], counts["unseen"]) == (2, 1)


def test_a_column_of_many_categories_does_not_drift_from_itself() -> None:
    random = np.random.default_rng(6)

    def draw(rows: int) -> list[object]:
        return [str(v) for v in random.integers(0, 1000, rows).tolist()]

    p = []
    for _ in range(15):
        reference = only(draw(5000))
        assessor = Assessor(reference.layout, reference.counts)
        for _ in range(20):
            counts = reference.layout.count({"x": draw(1000)}, {}).counts
            p.append(float(assessor.assess(counts).p_value[0]))
    assert sum(value <= 0.01 for value in p) <= 10  # 3 expected; uncorrected, more than 60
    assert min(p) > 1e-5


def test_a_column_of_identifiers_is_not_all_unseen_drift() -> None:
    reference = only([f"id-{i}" for i in range(2000)])
    grid = reference.columns[0].grid
    assert isinstance(grid, CategoryGrid)
    # All its rows came once, so of the next rows nearly all are expected to be unseen.
    assert bins(reference, "x")["unseen"] >= 1900
    live = reference.layout.count({"x": [f"new-{i}" for i in range(500)]}, {}).counts
    assert Assessor(reference.layout, reference.counts).assess(live).p_value[0] > 1e-3


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([0.5 * i for i in range(40)], "regression"),
        (list(range(40)), "regression"),
        ([0, 1] * 20, "binary"),
        ([True, False] * 20, "binary"),
        (["yes", "no"] * 20, "binary"),
        (["a", "b", "c", "d"] * 10, "multiclass"),
        ([0, 1, 2, 3] * 10, "multiclass"),
    ],
)
def test_the_task_is_inferred_from_the_target(labels: list[object], task: str) -> None:
    rows = Rows({"x": [1.0] * 40}, {"prediction": labels}, {}, labels)
    reference = build_from_columns(rows, created_at=0.0)
    assert reference.task == task
    assert (kinds(reference)["label"] is Kind.NUMERIC) == (task == "regression")
    assert kinds(reference)["prediction"] is kinds(reference)["label"]


def test_a_given_task_decides() -> None:
    rows = Rows({"x": [1.0] * 40}, {"prediction": [0, 1] * 20})
    assert kinds(build_from_columns(rows, created_at=0.0, task="regression")) == {
        "x": Kind.NUMERIC,
        "prediction": Kind.NUMERIC,
    }
    features_only = build_from_columns(Rows({"x": [1.0]}, {}), created_at=0.0)
    assert features_only.task is None


def test_no_rows_make_no_reference() -> None:
    for rows in (Rows({}, {}), Rows({"x": []}, {})):
        with pytest.raises(DataFileError, match="no rows"):
            build_from_columns(rows, created_at=0.0)


def test_categories_that_no_row_holds_are_not_known() -> None:
    """A file's dictionary may name more than its rows do."""
    codes = np.arange(600) % 2
    whole = build_from_columns(Rows({"k": Coded(codes, ["a", "b"])}, {}), created_at=0.0)
    spare = build_from_columns(Rows({"k": Coded(codes, ["a", "b", "c"])}, {}), created_at=0.0)
    assert spare.digest == whole.digest
