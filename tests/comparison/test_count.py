"""What SQL counts is what `Layout.count` counts on the same rows, cell by cell."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.comparison.choice import choose, columns_of
from monitor.comparison.count import ROWS, count_file
from monitor.comparison.database import Database
from monitor.comparison.datafile import open_data
from monitor.comparison.learn import draft
from monitor.comparison.numbers import names_of_rows
from monitor.comparison.parts import Parts
from monitor.profile.build import BuildOptions, build_from_file
from monitor.profile.counts import Counts
from monitor.profile.grid import NumericGrid
from monitor.profile.reference import Reference
from monitor.profile.tables import open_table
from monitor.schema import Kind
from tests.comparison.conftest import mixed, write


def learnt(path: Path, parts: Parts) -> Reference:
    with Database() as database:
        columns = parts.columns(open_table(path).columns)
        return draft(database, open_data(database, path), columns, 0.0).filled(database)


def by_sql(reference: Reference, path: Path) -> Counts:
    chosen = choose(reference, Parts(), open_table(path).columns)
    layout, _ = columns_of(reference, chosen.keys)
    numeric = [one.column.name for one in layout.columns if one.column.kind is Kind.NUMERIC]
    with Database() as database:
        file = open_data(database, path, tuple(chosen.columns.values()), numeric)
        return count_file(database, file, layout, chosen.columns).counts


def by_rows(reference: Reference, path: Path) -> Counts:
    table = open_table(path)
    layout, _ = columns_of(reference, [(name, "feature") for name in reference.feature_names])
    total = layout.identity
    names = [name for name in reference.feature_names if name in table.columns]
    for batch in table.batches(names):
        total = total + layout.count(batch, {}).counts
    return total


def same(one: Counts, other: Counts) -> None:
    assert one.rows == other.rows
    assert one.cells.tolist() == other.cells.tolist()
    assert one.moments == pytest.approx(other.moments, rel=1e-9, abs=1e-6)


def test_every_kind_of_column(tmp_path: Path, suffix: str) -> None:
    path = write(mixed(0), tmp_path / f"a.{suffix}")
    reference = build_from_file(path, BuildOptions(), created_at=0.0)
    for seed, shift in ((1, 0.0), (2, 3.0)):
        current = write(mixed(seed, 2000, shift), tmp_path / f"b{seed}.{suffix}")
        same(by_sql(reference, current), by_rows(reference, current))


def test_a_csv_file_of_many_blocks(tmp_path: Path) -> None:
    """Longer than what is held at a time; numbers and long texts, missing ones among both."""
    random = np.random.default_rng(0)
    rows = 150_000
    x = pa.array(random.normal(size=rows), mask=random.random(rows) < 0.01)
    kinds = np.array(["short", "x" * 300, ""])[random.integers(0, 3, rows)]
    path = write({"x": x, "name": kinds, "n": np.arange(rows)}, tmp_path / "a.csv")
    reference = build_from_file(path, BuildOptions(), created_at=0.0)
    same(by_sql(reference, path), by_rows(reference, path))
    with Database() as database:
        file = open_data(database, path)
        made = draft(database, file, Parts().columns(["x", "name", "n"]), 0.0)
        (names,) = names_of_rows(database, file, ["name"], ROWS)
    picked = made.rows["n"].astype(np.int64)
    assert 0.9 * ROWS < len(picked) < 1.1 * ROWS
    assert [kinds[i] or None for i in picked] == names
    assert made.rows["x"].tolist() == pytest.approx(
        np.where(x.is_null(), np.nan, x.fill_null(0.0))[picked].tolist(), nan_ok=True
    )


def test_what_is_derived_is_counted_too(tmp_path: Path, suffix: str) -> None:
    def draw(seed: int) -> dict[str, Any]:
        random = np.random.default_rng(seed)
        days = np.datetime64("2026-01-01") + random.integers(0, 90, 1500)
        texts = [f"some words {'x' * n} {i}" for i, n in enumerate(random.integers(5, 30, 1500))]
        table: dict[str, Any] = {
            "said": pa.array([None if i % 50 == 0 else text for i, text in enumerate(texts)]),
            "on": days.astype(str).tolist(),
        }
        if suffix == "parquet":
            table["vector"] = random.normal(size=(1500, 5)).tolist()
        return table

    path = write(draw(0), tmp_path / f"a.{suffix}")
    reference = build_from_file(path, BuildOptions(), created_at=0.0)
    derived = {profile.column.name for profile in reference.columns if profile.column.source}
    assert {"said.length", "said.words", "said.unfamiliar", "on.weekday"} <= derived
    current = write(draw(1), tmp_path / f"b.{suffix}")
    same(by_sql(reference, current), by_rows(reference, current))
    made = learnt(path, Parts())
    assert [one.column for one in made.columns] == [one.column for one in reference.columns]
    for one, other in zip(made.columns, reference.columns, strict=True):
        assert one.cells.tolist() == other.cells.tolist()


NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, -5e-324, math.inf, -math.inf, math.nan]),
    st.sampled_from([1e308, -1e308, 1.7976931348623157e308, 1e140, 1e-300]),
    st.integers(-3, 3).map(float),
    st.floats(allow_nan=True, allow_infinity=True),
)


@example(before=[-1.7976931348623157e308, 0.0], now=[-1.7976931348623157e308, 1.0])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(NUMBERS, min_size=1, max_size=60), now=st.lists(NUMBERS, min_size=1))
def test_any_numbers(tmp_path: Path, before: list[Any], now: list[Any]) -> None:
    kind = pa.float64()
    one = write({"x": pa.array(before, kind)}, tmp_path / "a.parquet")
    other = write({"x": pa.array(now, kind)}, tmp_path / "b.parquet")
    reference = build_from_file(one, BuildOptions(), created_at=0.0)
    found, expected = by_sql(reference, other), by_rows(reference, other)
    assert found.cells.tolist() == expected.cells.tolist()
    assert found.moments[:, 0].tolist() == expected.moments[:, 0].tolist()


TEXTS = st.one_of(
    st.none(), st.sampled_from(["a", "b", "", "1", "1.0", "true", "x" * 200, "\x00"]), st.text()
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(TEXTS, min_size=1, max_size=60), now=st.lists(TEXTS, min_size=1))
def test_any_texts(tmp_path: Path, before: list[Any], now: list[Any]) -> None:
    one = write({"c": pa.array(before, pa.string())}, tmp_path / "a.parquet")
    other = write({"c": pa.array(now, pa.string())}, tmp_path / "b.parquet")
    reference = build_from_file(one, BuildOptions(), created_at=0.0)
    same(by_sql(reference, other), by_rows(reference, other))


def test_columns_that_only_rows_can_tell(tmp_path: Path) -> None:
    moments = [dt.datetime(2026, 1, 1) + dt.timedelta(hours=i % 5) for i in range(200)]
    table = {
        "when": pa.array(moments),
        "day": pa.array([one.date() for one in moments]),
        "price": pa.array([Decimal(i % 7) / 100 for i in range(200)]),
        "list": pa.array([[1, 2]] * 200),
        "raw": pa.array([b"\xff"] * 200),
        "nothing": pa.nulls(200),
        "named": pa.array([f"k{i % 3}" for i in range(200)]).dictionary_encode(),
    }
    path = write(table, tmp_path / "a.parquet")
    reference = build_from_file(path, BuildOptions(), created_at=0.0)
    same(by_sql(reference, path), by_rows(reference, path))


def test_another_type_than_the_references(tmp_path: Path) -> None:
    one = write(
        {"x": [float(i) for i in range(200)], "c": ["a", "b"] * 100}, tmp_path / "a.parquet"
    )
    reference = build_from_file(one, BuildOptions(), created_at=0.0)
    other = write({"x": ["1", "two"] * 50, "c": [1, 2] * 50}, tmp_path / "b.parquet")
    counts = by_sql(reference, other)
    same(counts, by_rows(reference, other))
    assert counts.cells[reference.layout.cell_slice(0)][-1] == 100  # text is no number


def test_text_among_the_numbers_of_a_csv_file(tmp_path: Path) -> None:
    one = tmp_path / "a.csv"
    one.write_text("x,y\n" + "".join(f"{i},{i % 9}\n" for i in range(300)))
    reference = build_from_file(one, BuildOptions(), created_at=0.0)
    other = tmp_path / "b.csv"
    other.write_text("x,y\n" + "".join(f"{i},oops\n{i}.5,\n NaN,1e400\n" for i in range(50)))
    found, y = by_sql(reference, other), reference.layout.cell_slice(1)
    assert found.rows == 150
    assert found.cells[y][-2:].tolist() == [100, 50]


def test_a_learnt_reference_is_the_built_one(tmp_path: Path, suffix: str) -> None:
    path = write(mixed(3), tmp_path / f"a.{suffix}")
    built = build_from_file(path, BuildOptions(target="count"), created_at=0.0)
    made = learnt(path, Parts(target="count"))
    columns = [one for one in built.columns if one.projection is None]
    assert [one.column for one in made.columns] == [one.column for one in columns]
    assert made.task == built.task
    for one, other in zip(made.columns, columns, strict=True):
        assert one.bins == other.bins
        assert one.cells.tolist() == other.cells.tolist()
        assert one.moments == pytest.approx(other.moments)


def test_names_of_columns_are_never_sql(tmp_path: Path, suffix: str) -> None:
    name = "a\"'; DROP TABLE t; --"
    table = {
        name: [1.0, 2.0] * 200,
        "A": [1, 2] * 200,
        "a": [3, 4] * 200,
        "file_row_number": [1] * 400,
    }
    path = write(table, tmp_path / f"it's a [x]*.{suffix}")
    reference = build_from_file(path, BuildOptions(), created_at=0.0)
    same(by_sql(reference, path), by_rows(reference, path))


def test_a_sample_chooses_the_cells_and_all_rows_fill_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    x = random.lognormal(size=150_000)
    rare = np.where(random.random(150_000) < 0.3, x, np.nan)
    path = write({"x": x, "rare": pa.array(rare, from_pandas=True)}, tmp_path / "a.parquet")
    one, other = learnt(path, Parts()).columns
    assert (one.column.minimum, one.column.maximum) == (x.min(), x.max())
    assert int(one.cells[:-2].sum()) == 150_000
    assert int(other.cells[:-2].sum()) == int(np.isfinite(rare).sum())
    shares = np.bincount(one.grid.bin_of_cell, weights=one.cells)[1:11] / 150_000
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_few_numbers_of_a_prediction_make_one_reference_whatever_order_they_come_in(
    tmp_path: Path,
) -> None:
    numbers = np.random.default_rng(5).geometric(0.02, 130_000).astype(np.float64)
    made = []
    for name, order in (("rising", numbers.argsort()), ("falling", (-numbers).argsort())):
        path = write({"prediction": numbers[order]}, tmp_path / f"{name}.parquet")
        made.append(learnt(path, Parts(prediction="prediction")))
    one, other = (reference.layout.columns[0].grid for reference in made)
    assert isinstance(one, NumericGrid)
    assert isinstance(other, NumericGrid)
    np.testing.assert_array_equal(one.edges, other.edges)
    assert one.scale == other.scale
    same(*(reference.counts for reference in made))


def test_rows_are_sampled_side_by_side_whatever_columns_are_called(tmp_path: Path) -> None:
    rows = 12_000
    at = np.arange(rows)
    table = {"file_row_number": at} | {f"x{i}": at + i * rows for i in range(9)}
    path = write(table | {"name": [f"n{i}" for i in at]}, tmp_path / "a.parquet")
    with Database() as database:
        file = open_data(database, path)
        columns = Parts().columns(list(table))
        made = draft(database, file, columns, 0.0)
        again = count_file(database, file, made.reference.layout, made.columns).rows
        (names,) = names_of_rows(database, file, ["name"], ROWS)
    found = made.rows
    assert {name: held.tolist() for name, held in again.items()} == {
        name: held.tolist() for name, held in found.items()
    }
    picked = found["file_row_number"]
    assert 0.9 * ROWS < len(picked) < 1.1 * ROWS
    assert [f"n{int(i)}" for i in picked.tolist()] == names
    for i in range(9):
        assert (found[f"x{i}"] - i * rows).tolist() == picked.tolist()


def test_nothing_but_the_answer_is_printed() -> None:
    for stage in (None, lambda _doing, _done: None):
        with Database(stage) as database:
            sql = "SELECT current_setting('enable_progress_bar_print')"
            assert database.rows(Path("x"), "asking", sql) == [(False,)]


def test_a_database_that_forgot_still_answers(tmp_path: Path, suffix: str) -> None:
    path = write(mixed(0), tmp_path / f"a.{suffix}")
    with Database() as database:
        file = open_data(database, path)
        columns = Parts().columns(open_table(path).columns)
        before = draft(database, file, columns, 0.0).filled(database)
        limit = database.rows(path, "asking", "SELECT current_setting('memory_limit')")
        database.forget()
        assert limit == database.rows(path, "asking", "SELECT current_setting('memory_limit')")
        after = draft(database, file, columns, 0.0).filled(database)
    assert after.digest == before.digest
