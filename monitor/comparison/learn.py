"""A reference from a data file: the cells of `profile.build`, chosen and counted by SQL.

Equal data make equal references, whichever of the two builds them, up to the sample that chooses
the cells of a file of more than 100,000 rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.comparison.count import MOST_SAMPLED, ROWS, Floats, count_file
from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.comparison.names import grouped
from monitor.comparison.numbers import Surveyed, sample_of, survey
from monitor.comparison.parts import Key
from monitor.errors import DataFileError
from monitor.profile.build import CATEGORIES, infer_task
from monitor.profile.column import ColumnProfile
from monitor.profile.fit import TAKEN_APART, Fitted, filled, fit
from monitor.profile.grid import NumericGrid
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.profile.sample import Sample, Sampled
from monitor.profile.survey import Survey
from monitor.schema import Role

FEW_SAMPLED = 20_000  # numbers; a column that is mostly missing gets a sample of its own
FEW_VALUES = 1000  # of a prediction or label: so many may be classes


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A reference whose cells are chosen and not yet filled, and some of the file's rows."""

    file: DataFile
    columns: Mapping[Key, str]
    created_at: float
    task: str | None
    fitted: Fitted
    rows: Mapping[str, Floats]  # as `count.Counted.rows`

    @property
    def reference(self) -> Reference:
        """As it is, every cell empty."""
        return self._with(self.fitted.profiles)

    def filled(self, database: Database) -> Reference:
        """Every row counted."""
        layout = Layout(self.fitted.profiles)
        counted = count_file(database, self.file, layout, self.columns, rows=0)  # there are some
        return self._with(filled(self.fitted, layout, counted.counts))

    def _with(self, profiles: Sequence[ColumnProfile]) -> Reference:
        return Reference(self.file.rows, tuple(profiles), self.created_at, self.task)


def draft(
    database: Database,
    file: DataFile,
    columns: Mapping[Key, str],
    created_at: float,
    task: str | None = None,
) -> Draft:
    """What the file's rows make of its columns."""
    if not file.rows:
        raise DataFileError(f"{file.path}: there are no rows")
    plain = {key: column for key, column in columns.items() if column in file.numbers}
    looked = survey(database, file, list(dict.fromkeys(plain.values())), ROWS)
    surveys = _survey(database, file, columns, looked)
    task = task or infer_task(surveys)
    fitted = fit(surveys, _sampled(file, columns, surveys), task, CATEGORIES)
    numeric = {p.column.key for p in fitted.profiles if isinstance(p.grid, NumericGrid)}
    named = dict.fromkeys(column for key, column in plain.items() if key in numeric)
    rows = {name: looked[name].rows for name in tuple(named)[:MOST_SAMPLED]}
    return Draft(file, columns, created_at, task, fitted, rows)


def _sampled(file: DataFile, columns: Mapping[Key, str], surveys: Mapping[Key, Survey]) -> Sampled:
    """Rows of the columns that are taken apart; what depends on all columns is asked elsewhere."""
    wanted = {key: columns[key] for key, one in surveys.items() if one.kind in TAKEN_APART}
    sample, random = Sample(), np.random.default_rng(0)
    if wanted:
        for batch in file.table.batches(tuple(dict.fromkeys(wanted.values()))):
            rows = {key: batch[column] for key, column in wanted.items()}
            sample.look(rows, None, random.random(len(next(iter(rows.values())))))
    return sample.rows


def _survey(
    database: Database,
    file: DataFile,
    columns: Mapping[Key, str],
    looked: Mapping[str, Surveyed],
) -> dict[Key, Survey]:
    random = np.random.default_rng(0)
    surveys = {key: Survey(track_numbers=key[1] != Role.FEATURE.value) for key in columns}
    for (name, role), column in columns.items():
        if column in looked:
            seen, is_class = surveys[name, role], role != Role.FEATURE.value
            _survey_numbers(database, file, column, looked[column], seen, random, is_class=is_class)
    by_row: dict[Key, str] = {}
    for key, column in columns.items():
        if column in file.names:
            for rows in grouped(database, file, column):
                surveys[key].look(rows, random.random(len(rows)))
        elif column not in file.numbers:
            by_row[key] = column
    if by_row:
        for batch in file.table.batches(tuple(dict.fromkeys(by_row.values()))):
            keys = random.random(len(next(iter(batch.values()))))
            for key, column in by_row.items():
                surveys[key].look(batch[column], keys)
    return surveys


def _survey_numbers(
    database: Database,
    file: DataFile,
    column: str,
    looked: Surveyed,
    seen: Survey,
    random: np.random.Generator,
    *,
    is_class: bool,
) -> None:
    known, numbers = looked.range, looked.sample
    if len(numbers) < min(FEW_SAMPLED, known.numbers):
        numbers = sample_of(database, file, column, known.numbers)
    if is_class and len(np.unique(numbers)) <= FEW_VALUES:
        for rows in grouped(database, file, column, sort=True):  # so one sample comes of it
            seen.look(rows, random.random(len(rows)))
        return
    seen.look(numbers, random.random(len(numbers)))
    seen.minimum, seen.maximum = known.minimum, known.maximum
    seen.numbers, seen.integer = known.numbers, known.integer
