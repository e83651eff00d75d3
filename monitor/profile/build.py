"""Builds a reference from columns: of batches seen live, or of a data file, by the same two passes.

The first pass surveys each column and fixes its cells, the second counts all rows into them. Knows
nothing of the metrics of performance: those are given, or computed by a function that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.errors import DataFileError
from monitor.profile.derived.moments import Span, seconds
from monitor.profile.fit import filled, fit
from monitor.profile.importance import weighed
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference, ReferencePerformance
from monitor.profile.sample import Sample, Sampled
from monitor.profile.scored import Score, Scored
from monitor.profile.shapes import Key
from monitor.profile.survey import Survey
from monitor.profile.tables import Progress, Table, open_table, require_columns
from monitor.profile.values import Values
from monitor.records.batch import PREDICTION
from monitor.schema import LABEL, PROBABILITY_PREFIX, Kind, Role

Named = Mapping[str, Values]
Floats = NDArray[np.float64]

CATEGORIES = 50
_PLAIN = frozenset({float, int, type(None)})
FEW_CLASSES = 20  # whole numbers with at most as many values are taken for classes


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows in column form, by side of the model."""

    features: Named
    outputs: Named
    probabilities: Named = field(default_factory=dict)
    labels: Values | None = None
    at: Sequence[float] | Floats | None = None  # when each row came, in Unix seconds

    def columns(self) -> dict[Key, Values]:
        """All columns by name and role."""
        feature, prediction = Role.FEATURE.value, Role.PREDICTION.value
        found: dict[Key, Values] = {
            (name, feature): column for name, column in self.features.items()
        }
        found |= {(name, prediction): column for name, column in self.outputs.items()}
        for name, column in self.probabilities.items():
            found[PROBABILITY_PREFIX + name, prediction] = column
        if self.labels is not None:
            found[LABEL, Role.LABEL.value] = self.labels
        return found


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Which columns of a data file are what."""

    target: str | None = None
    prediction: str | None = None
    probabilities: Mapping[str, str] = field(default_factory=dict)  # class → column
    features: tuple[str, ...] | None = None  # default: all columns with no other part
    task: str | None = None
    categories: int = CATEGORIES
    importance: Mapping[str, float] | None = None  # of features; default: measured
    time: str | None = None  # when each row came; no feature, unless it is named as one


def build_from_columns(
    rows: Rows,
    *,
    created_at: float,
    task: str | None = None,
    categories: int = CATEGORIES,
    performance: ReferencePerformance | None = None,
) -> Reference:
    """The reference of rows that are all at hand; DataFileError where there is none."""

    features = {name: _compact(column) for name, column in rows.features.items()}
    compact = replace(rows, features=features)

    def source() -> Iterator[Rows]:
        yield compact

    reference = _build(source, task, categories, created_at)
    return replace(reference, performance=performance) if performance else reference


def _compact(column: Values) -> Values:
    """Plain numbers as an array: they are read several times."""
    if isinstance(column, list) and _PLAIN.issuperset(map(type, column)):
        try:
            numbers: Values = np.array(column, dtype=np.float64)  # None becomes NaN
        except OverflowError:  # an integer beyond a float's range is invalid
            return column
        return numbers
    return column


def build_from_file(
    path: Path | str,
    options: BuildOptions,
    *,
    created_at: float,
    score: Score | None = None,
    progress: Progress | None = None,
) -> Reference:
    """The reference of a CSV or Parquet file; `score` gives its performance where target and
    prediction are named.

    `score` sees at most the first million rows that have both. `progress` is told bytes done, of
    twice the file's.
    """
    table = open_table(path)
    choice = _choose(table, options)
    both = options.target is not None and options.prediction is not None
    scored = Scored() if score and both else None
    passes = 0

    def source() -> Iterator[Rows]:
        nonlocal passes
        passes += 1
        before = passes - 1

        def told(done: int, size: int) -> None:
            if progress:
                progress(before * size + done, 2 * size)

        for batch in table.batches(choice.wanted, told):
            rows = choice.rows(batch)
            if scored and before == 0 and rows.labels is not None:
                scored.take(rows.labels, rows.outputs[PREDICTION], rows.probabilities)
            yield rows

    try:
        reference = _build(source, options.task, options.categories, created_at, options.importance)
    except DataFileError as error:
        raise error if str(path) in str(error) else DataFileError(f"{path}: {error}") from None
    if options.time is not None and reference.span is None:
        raise DataFileError(f"{path}: column {options.time!r} holds no moment in time")
    if score and scored and reference.task:
        performance = scored.performance(score, reference.task)
        reference = replace(reference, performance=performance)
    return replace(reference, left_out=choice.left_out)


@dataclass(frozen=True, slots=True)
class _Choice:
    options: BuildOptions
    features: tuple[str, ...]
    wanted: tuple[str, ...]
    left_out: tuple[str, ...]  # columns that are no part of the reference, and so no news

    def rows(self, batch: Mapping[str, Values]) -> Rows:
        options = self.options
        return Rows(
            {name: batch[name] for name in self.features},
            {} if options.prediction is None else {PREDICTION: batch[options.prediction]},
            {name: batch[column] for name, column in options.probabilities.items()},
            None if options.target is None else batch[options.target],
            None if options.time is None else seconds(batch[options.time]),
        )


def _choose(table: Table, options: BuildOptions) -> _Choice:
    named = [options.target, options.prediction, *options.probabilities.values()]
    parts = [name for name in named if name is not None]
    times = [] if options.time is None else [options.time]
    require_columns(table, [*parts, *times, *(options.features or ())])
    features = options.features
    if features is None:
        features = tuple(name for name in table.columns if name not in {*parts, *times})
    left_out = tuple(name for name in table.columns if name not in {*features, *parts})
    wanted = tuple(dict.fromkeys([*features, *parts, *times]))
    return _Choice(options, features, wanted, left_out)


def _build(
    source: Callable[[], Iterator[Rows]],
    task: str | None,
    categories: int,
    created_at: float,
    importance: Mapping[str, float] | None = None,
) -> Reference:
    surveys, sampled = _survey(source())
    task = task or infer_task(surveys)
    fitted = fit(surveys, sampled, task, categories)
    layout = Layout(fitted.profiles)
    total, span = layout.identity, Span()
    for rows in source():
        span.look(rows.at)
        counted = layout.count(
            rows.features, rows.outputs, rows.probabilities, rows.labels, rows.at
        )
        total = total + counted.counts
    if not total.rows:
        raise DataFileError("there are no rows")
    columns = weighed(filled(fitted, layout, total), layout, sampled, importance)
    return Reference(total.rows, tuple(columns), created_at, task, span=span.found)


def _survey(batches: Iterator[Rows]) -> tuple[dict[Key, Survey], Sampled]:
    random = np.random.default_rng(0)  # equal data make equal references
    surveys: dict[Key, Survey] = {}
    sample = Sample()
    for rows in batches:
        columns = rows.columns()
        keys: Floats = random.random(len(next(iter(columns.values()), ())))
        for key, column in columns.items():
            if key not in surveys:
                surveys[key] = Survey(track_numbers=key[1] != Role.FEATURE.value)
            surveys[key].look(column, keys)
        sample.look(columns, None if rows.at is None else np.asarray(rows.at), keys)
    if not surveys:
        raise DataFileError("there are no rows")
    return surveys, sample.rows


def infer_task(surveys: Mapping[Key, Survey]) -> str | None:
    """From the labels, else from the predictions; None where neither says."""
    survey = surveys.get((LABEL, Role.LABEL.value)) or surveys.get(
        (PREDICTION, Role.PREDICTION.value)
    )
    if survey is None:
        return None
    distinct = len(survey.categories)
    if survey.kind is Kind.NUMERIC and (not survey.integer or distinct > FEW_CLASSES):
        return "regression"
    return "binary" if distinct <= 2 else "multiclass"
