"""Decoded rows of one or many exchanges, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PREDICTION = "prediction"  # the name of a model's only, or first, output column


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in column form: one entry a row everywhere; `None` and non-finite numbers are missing.

    `outputs` holds the predicted value or label under `prediction` (further outputs under their
    own names); `probabilities` maps a class, written as text, to its probability in each row.
    """

    ids: Sequence[str]  # prediction id of the request that the row came in
    rows: Sequence[int]  # the row's index within that request
    at: Sequence[float]  # Unix seconds at which the request arrived
    features: Mapping[str, Sequence[object]]
    outputs: Mapping[str, Sequence[object]]
    probabilities: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def concatenate(batches: Sequence[Batch]) -> list[Batch]:
    """The same rows in as few batches as their column sets allow; order is kept within each set.

    Work per batch (arrays, transactions) is then paid once for many single-row requests.
    """
    groups: dict[tuple[tuple[str, ...], ...], list[Batch]] = {}
    for batch in batches:
        key = (tuple(batch.features), tuple(batch.outputs), tuple(batch.probabilities))
        groups.setdefault(key, []).append(batch)
    return [group[0] if len(group) == 1 else _join(group) for group in groups.values()]


def _join(group: list[Batch]) -> Batch:
    ids: list[str] = []
    rows: list[int] = []
    at: list[float] = []
    for batch in group:
        ids.extend(batch.ids)
        rows.extend(batch.rows)
        at.extend(batch.at)
    return Batch(
        ids,
        rows,
        at,
        _join_columns([batch.features for batch in group]),
        _join_columns([batch.outputs for batch in group]),
        _join_columns([batch.probabilities for batch in group]),
    )


def _join_columns(parts: list[Mapping[str, Sequence[object]]]) -> dict[str, list[object]]:
    joined: dict[str, list[object]] = {}
    for name in parts[0]:
        column: list[object] = []
        for part in parts:
            column.extend(part[name])
        joined[name] = column
    return joined
