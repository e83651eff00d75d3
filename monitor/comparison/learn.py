"""A reference from a data file: the cells of `profile.build`, chosen and counted by SQL.

Equal data make equal references, whichever of the two builds them, up to the sample that chooses
the cells of a file of more than 100,000 rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from monitor.comparison.count import Floats, count_file
from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.comparison.names import grouped
from monitor.comparison.numbers import sample_of, survey
from monitor.comparison.parts import Key
from monitor.errors import DataFileError
from monitor.profile.build import CATEGORIES, infer_task
from monitor.profile.fit import TAKEN_APART, filled, fit
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.profile.sample import Sample, Sampled
from monitor.profile.survey import Survey
from monitor.schema import Role

FEW_SAMPLED = 20_000  # numbers; a column that is mostly missing gets a sample of its own
FEW_VALUES = 1000  # of a prediction or label: so many may be classes


def learn(
    database: Database,
    file: DataFile,
    columns: Mapping[Key, str],
    created_at: float,
    task: str | None = None,
) -> tuple[Reference, Mapping[str, Floats]]:
    """The reference that a file's rows make, and some of the rows (`Counted.rows`)."""
    if not file.rows:
        raise DataFileError(f"{file.path}: there are no rows")
    surveys = _survey(database, file, columns)
    task = task or infer_task(surveys)
    fitted = fit(surveys, _sampled(file, columns, surveys), task, CATEGORIES)
    layout = Layout(fitted.profiles)
    counted = count_file(database, file, layout, columns)
    profiles = tuple(filled(fitted, layout, counted.counts))
    return Reference(file.rows, profiles, created_at, task), counted.rows


def _sampled(file: DataFile, columns: Mapping[Key, str], surveys: Mapping[Key, Survey]) -> Sampled:
    """Rows of the columns that are taken apart; what depends on all columns is asked elsewhere."""
    wanted = {key: columns[key] for key, one in surveys.items() if one.kind in TAKEN_APART}
    sample, random = Sample(), np.random.default_rng(0)
    if wanted:
        for batch in file.table.batches(tuple(dict.fromkeys(wanted.values()))):
            rows = {key: batch[column] for key, column in wanted.items()}
            sample.look(rows, None, random.random(len(next(iter(rows.values())))))
    return sample.rows


def _survey(database: Database, file: DataFile, columns: Mapping[Key, str]) -> dict[Key, Survey]:
    random = np.random.default_rng(0)
    surveys = {key: Survey(track_numbers=key[1] != Role.FEATURE.value) for key in columns}
    plain = {key: column for key, column in columns.items() if column in file.numbers}
    _survey_numbers(database, file, plain, surveys, random)
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
    plain: Mapping[Key, str],
    surveys: Mapping[Key, Survey],
    random: np.random.Generator,
) -> None:
    looked = survey(database, file, list(dict.fromkeys(plain.values())))
    for key, column in plain.items():
        known, numbers = looked[column]
        if len(numbers) < min(FEW_SAMPLED, known.numbers):
            numbers = sample_of(database, file, column, known.numbers)
        if key[1] != Role.FEATURE.value and len(np.unique(numbers)) <= FEW_VALUES:
            for rows in grouped(database, file, column):
                surveys[key].look(rows, random.random(len(rows)))
            continue
        seen = surveys[key]
        seen.look(numbers, random.random(len(numbers)))
        seen.minimum, seen.maximum = known.minimum, known.maximum
        seen.numbers, seen.integer = known.numbers, known.integer
