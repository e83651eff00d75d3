"""Which columns of a reference are compared, and where a file has them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.comparison.parts import Key, Parts
from monitor.errors import DataFileError
from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.records.batch import PREDICTION
from monitor.schema import Role


@dataclass(frozen=True, slots=True)
class Choice:
    """The reference's columns that are compared, and where the file has them."""

    keys: tuple[Key, ...]
    columns: Mapping[Key, str]  # of those that the file has
    unexpected: tuple[str, ...]  # the file has them, the reference does not
    left_out: tuple[str, ...]  # the reference has them, and nobody said where the file does


def choose(reference: Reference, parts: Parts, table: Sequence[str]) -> Choice:
    """What is compared of a file with the columns of `table`.

    A feature is the column of its name. Predictions, probabilities and labels are where `parts`
    says; a prediction that nobody named is the column `prediction`, if there is one.
    """
    known = [profile.column for profile in reference.columns if not profile.column.part]
    if parts.prediction is None and PREDICTION in table:
        parts = replace(parts, prediction=PREDICTION)
    features = parts.features
    if features is None:
        features = tuple(one.name for one in known if one.role is Role.FEATURE)
    every = replace(parts, features=features).columns(table)
    keys = tuple(one.key for one in known if one.key in every)
    for name in (*(parts.features or ()), *(parts.only or ())):
        if name not in table and name not in {key[0] for key in keys}:
            raise DataFileError(f"no column {name!r}, neither in the reference nor in the file")
    if not keys:
        raise DataFileError("no column is left to compare")
    columns = {key: every[key] for key in keys if every[key] in table}
    named = {*features, *every.values(), *reference.left_out}
    chosen = parts.features is not None or parts.only is not None
    return Choice(
        keys,
        columns,
        () if chosen else tuple(name for name in table if name not in named),
        () if parts.only else tuple(one.name for one in known if one.key not in keys),
    )


def restricted(reference: Reference, keys: Sequence[Key]) -> Reference:
    """The reference without the columns that a file cannot have, and what is derived of them; and
    without its segments then, which are counts of all its columns."""
    raw = {profile.column.key for profile in reference.columns if not profile.column.part}
    lost = raw - set(keys)
    if not lost:
        return reference
    features_lost = any(role == Role.FEATURE.value for _, role in lost)
    kept = tuple(
        profile
        for profile in reference.columns
        if profile.column.key not in lost
        and (profile.column.source, profile.column.role.value) not in lost
        and not (profile.projection and features_lost)
    )
    return replace(reference, columns=kept, segments=())


def columns_of(reference: Reference, keys: Sequence[Key]) -> tuple[Layout, Counts]:
    """Some of a reference's columns, labels among them, with what is derived of each and with what
    the reference has in them; what is derived of all of them together is left out."""
    wanted = set(keys)
    profiles = [
        profile
        for profile in reference.columns
        if profile.column.key in wanted
        or (profile.column.source, profile.column.role.value) in wanted
    ]
    return part_of(reference, profiles)


def part_of(reference: Reference, profiles: Sequence[ColumnProfile]) -> tuple[Layout, Counts]:
    """Some of a reference's columns, with what the reference has in them."""
    cells = [profile.cells for profile in profiles]
    moments = np.array([profile.moments for profile in profiles], dtype=np.float64)
    layout = Layout(profiles)
    flat = np.concatenate([*cells, np.zeros(0, np.int64)]).astype(np.int64)
    return layout, Counts(reference.rows, flat, moments.reshape(len(profiles), 3))
