"""What a reference may hold beyond its columns: segments' counts, from the file it was built of.

One more pass over the file for each thing asked, so that who asks for nothing pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from monitor.errors import DataFileError
from monitor.profile.build import BuildOptions, Rows
from monitor.profile.reference import Reference
from monitor.profile.segments import SegmentCounting
from monitor.profile.tables import open_table
from monitor.records.batch import PREDICTION


def with_segments(
    reference: Reference, path: Path | str, options: BuildOptions, columns: Sequence[str]
) -> Reference:
    """The reference with the counts of each value of some feature columns."""
    features = reference.feature_names
    for column in columns:
        if column not in features:
            raise DataFileError(
                f"{path}: {column!r} is no feature, so no segments can be made of it"
            )
    counting = SegmentCounting(reference.layout, columns)
    for rows in rows_of(path, options, features):
        counting.look(rows.features)
    for rows in rows_of(path, options, features):
        counting.count(rows)
    return replace(reference, segments=counting.segments())


def rows_of(path: Path | str, options: BuildOptions, features: Sequence[str]) -> Iterator[Rows]:
    """A file's rows by side of the model, some at a time, in the file's order."""
    table = open_table(path)
    named = [options.prediction, options.target, *options.probabilities.values()]
    wanted = dict.fromkeys([*features, *(name for name in named if name is not None)])
    for batch in table.batches(tuple(wanted)):
        yield Rows(
            {name: batch[name] for name in features},
            {} if options.prediction is None else {PREDICTION: batch[options.prediction]},
            {name: batch[column] for name, column in options.probabilities.items()},
            None if options.target is None else batch[options.target],
        )
