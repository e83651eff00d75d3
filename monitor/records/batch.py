"""Decoded rows of one or many exchanges, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from monitor.records.alias import Alias, of

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
    aliases: Sequence[Alias] = ()  # of the ids, where they have other names too

    def __len__(self) -> int:
        return len(self.ids)

    def with_features(self, names: Sequence[str]) -> Batch:
        """The same rows with no other features than these, as far as it has them."""
        held = {name: self.features[name] for name in names if name in self.features}
        return replace(self, features=held)


def grouped(batch: Batch, key: Callable[[float], int]) -> list[Batch]:
    """The batch cut into parts whose rows' times have equal keys; itself where all do.

    `key` never falls as time goes on, so that the earliest and the latest tell whether all are
    equal.
    """
    if not batch.at:
        return []
    if key(min(batch.at)) == key(max(batch.at)):
        return [batch]
    keys = [key(at) for at in batch.at]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return [taken(batch, list(indices)) for _, indices in groupby(order, key=keys.__getitem__)]


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
    aliases: list[Alias] = []
    for batch in group:
        ids.extend(batch.ids)
        rows.extend(batch.rows)
        at.extend(batch.at)
        aliases.extend(batch.aliases)
    return Batch(
        ids,
        rows,
        at,
        _join_columns([batch.features for batch in group]),
        _join_columns([batch.outputs for batch in group]),
        _join_columns([batch.probabilities for batch in group]),
        aliases,
    )


def _join_columns(parts: list[Mapping[str, Sequence[object]]]) -> dict[str, list[object]]:
    joined: dict[str, list[object]] = {}
    for name in parts[0]:
        column: list[object] = []
        for part in parts:
            column.extend(part[name])
        joined[name] = column
    return joined


def taken(batch: Batch, indices: list[int]) -> Batch:
    """The rows of a batch at these places."""

    def columns(of: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
        return {name: [values[i] for i in indices] for name, values in of.items()}

    ids = [batch.ids[i] for i in indices]
    return Batch(
        ids,
        [batch.rows[i] for i in indices],
        [batch.at[i] for i in indices],
        columns(batch.features),
        columns(batch.outputs),
        columns(batch.probabilities),
        of(batch.aliases, ids),
    )
