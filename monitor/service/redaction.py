"""Columns that are never stored or shown: of their values only the presence goes on from here.

Every other room gets the rows after this, so none can keep, count or tell what it never had.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from monitor.errors import ReferenceFileError
from monitor.profile.reference import Reference
from monitor.profile.values import MISSING, category
from monitor.records.batch import Batch
from monitor.schema import Kind, Role


def is_redacted(column: str, names: Sequence[str]) -> bool:
    """Whether a column, or the object that it is a part of, is named.

    >>> [is_redacted(one, ("name", "address")) for one in ("name", "address.zip", "names")]
    [True, True, False]
    """
    return any(column == name or column.startswith(f"{name}.") for name in names)


def redacted(batch: Batch, names: Sequence[str]) -> Batch:
    """The batch with True for each value of these features, and None where it is missing."""
    if not any(is_redacted(column, names) for column in batch.features):
        return batch
    features = {
        column: _presence(values) if is_redacted(column, names) else values
        for column, values in batch.features.items()
    }
    return replace(batch, features=features)


def _presence(values: Iterable[object]) -> list[object]:
    return [None if category(value) == MISSING else True for value in values]


def check_reference(reference: Reference, names: Sequence[str]) -> None:
    """ReferenceFileError where the reference holds values of such a column: they would be shown."""
    layout = reference.layout
    counts = layout.bin_counts(reference.counts)
    for index, profile in enumerate(layout.columns):
        column = profile.column
        if column.role is not Role.FEATURE or not is_redacted(column.name, names):
            continue
        held = dict(zip(profile.bins, counts[layout.bin_slice(index)].tolist(), strict=True))
        if column.kind is not Kind.BOOLEAN or held.get("false"):
            raise ReferenceFileError(
                f"the reference holds values of {column.name!r}, which observe.redact names:"
                " build it from data where that column is true or empty, or without the column"
            )
