"""Batches: joined and cut without losing, adding or mixing rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.records.batch import Batch, concatenate, grouped


def _batch(number: int, rows: int, name: str, at: float = 0.0) -> Batch:
    values = [number * 100 + row for row in range(rows)]
    return Batch(
        [str(number)] * rows, list(range(rows)), [at] * rows, {name: values}, {"prediction": values}
    )


def _rows(batches: list[Batch]) -> set[tuple[object, ...]]:
    return {
        (name, *row)
        for batch in batches
        for name in batch.features
        for row in zip(
            batch.ids,
            batch.rows,
            batch.at,
            batch.features[name],
            batch.outputs["prediction"],
            strict=True,
        )
    }


shapes = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab"), st.floats(0, 9)), max_size=8)


@given(shapes)
def test_concatenating_keeps_every_row_with_its_neighbours(
    shapes: list[tuple[int, str, float]],
) -> None:
    batches = [_batch(n, rows, name, at) for n, (rows, name, at) in enumerate(shapes)]
    joined = concatenate(batches)
    assert _rows(joined) == _rows(batches)
    assert len(joined) == len({name for _, name, _ in shapes})


@given(shapes)
def test_grouping_keeps_every_row_and_mixes_no_keys(shapes: list[tuple[int, str, float]]) -> None:
    for batch in concatenate([_batch(n, r, name, at) for n, (r, name, at) in enumerate(shapes)]):
        parts = grouped(batch, int)
        assert _rows(parts) == _rows([batch])
        assert all(len({int(at) for at in part.at}) == 1 for part in parts)
        assert len(parts) == len({int(at) for at in batch.at})


def test_only_the_features_asked_for_are_left() -> None:
    batch = Batch(["a"], [0], [1.0], {"x": [1], "y": [2]}, {"prediction": [3]})
    left = batch.with_features(["y", "z"])
    assert left == Batch(["a"], [0], [1.0], {"y": [2]}, {"prediction": [3]})
