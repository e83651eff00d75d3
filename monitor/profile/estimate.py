"""Makes a reference able to estimate performance without labels, from the file it was built of.

Knows the rows and which metrics they have; the fits themselves are in `fitting`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.errors import DataFileError
from monitor.profile.build import BuildOptions
from monitor.profile.estimator import (
    ClassEstimator,
    Encoding,
    ErrorEstimator,
    Estimator,
    class_names,
    error_table,
)
from monitor.profile.extend import rows_of
from monitor.profile.fitting import fit_calibration, fit_forest
from monitor.profile.reference import Reference
from monitor.profile.values import INVALID, MISSING, Coded, Values, category, numbers
from monitor.records.batch import PREDICTION
from monitor.schema import Kind, Role
from monitor.statistics.classes import class_name, positive_class
from monitor.statistics.intervals import Interval, Z
from monitor.statistics.performance import PerformanceSums, Task
from monitor.statistics.regression import float_column

Floats = NDArray[np.float64]

MOST_ROWS = 200_000  # rows that an estimator is fitted on: the first ones
LEAST_ROWS = 500
DEVIATION_ROWS = 50_000
LEAST_CATEGORY_ROWS = 20  # a rarer category has no usual error of its own
PRIOR_ROWS = 20.0  # weight of all rows' usual error in a category's


@dataclass(slots=True)
class _Held:
    """Whole columns of the first rows that have a label and a prediction."""

    features: dict[str, list[object]] = field(default_factory=dict)
    labels: list[object] = field(default_factory=list)
    predictions: list[object] = field(default_factory=list)
    probabilities: dict[str, list[object]] = field(default_factory=dict)


def with_estimator(reference: Reference, path: Path | str, options: BuildOptions) -> Reference:
    """The reference with an estimator of its task; DataFileError where the file lacks what that
    needs."""
    if options.target is None or options.prediction is None:
        raise DataFileError(f"{path}: an estimate needs --target and --prediction")
    regression = reference.task == "regression"
    if not regression and not options.probabilities:
        raise DataFileError(
            f"{path}: an estimate of a classifier needs its probabilities (--probability): from "
            "predicted classes alone nobody can tell how sure the model was"
        )
    held = _held(path, options, reference.feature_names if regression else ())
    if len(held.labels) < LEAST_ROWS:
        raise DataFileError(f"{path}: an estimate needs at least {LEAST_ROWS} labelled rows")
    estimator: Estimator = _errors(reference, held) if regression else _classes(reference, held)
    return replace(reference, estimator=estimator)


def _held(path: Path | str, options: BuildOptions, features: Sequence[str]) -> _Held:
    held = _Held()
    for rows in rows_of(path, options, features):
        assert rows.labels is not None  # noqa: S101 - a target is named
        label, guess = _plain(rows.labels), _plain(rows.outputs[PREDICTION])
        kept = [
            i
            for i, pair in enumerate(zip(label, guess, strict=True))
            if not any(category(value) in (MISSING, INVALID) for value in pair)
        ][: MOST_ROWS - len(held.labels)]
        held.labels += [label[i] for i in kept]
        held.predictions += [guess[i] for i in kept]
        for into, columns in (
            (held.features, rows.features),
            (held.probabilities, rows.probabilities),
        ):
            for name, column in columns.items():
                plain = _plain(column)
                into.setdefault(name, []).extend(plain[i] for i in kept)
        if len(held.labels) >= MOST_ROWS:
            break
    return held


def _classes(reference: Reference, held: _Held) -> ClassEstimator:
    given = {class_name(name): column for name, column in held.probabilities.items()}
    labels = class_names(held.labels)
    names = tuple(sorted(given))
    if reference.task == "binary":
        positive = positive_class([*given, *(one for one in labels if one)]) or names[0]
        names = (positive if positive in given else names[0],)
    plain = ClassEstimator(names, (None,) * len(names), len(labels))
    scores = plain.scores(given)
    assert scores is not None  # noqa: S101 - the names are those of the columns
    kept = np.isfinite(scores).all(axis=1)
    scores = np.clip(scores[kept], 0.0, 1.0)
    truth = np.array([one or "" for one in labels], dtype=object)[kept]
    calibrations = tuple(
        fit_calibration(scores[:, k], truth == name) for k, name in enumerate(names)
    )
    return replace(plain, calibrations=calibrations, deviations=_deviations(reference, held))


def _errors(reference: Reference, held: _Held) -> ErrorEstimator:
    errors = numbers(held.predictions)[0] - numbers(held.labels)[0]
    kept = np.isfinite(errors)
    size = np.abs(errors[kept])
    encodings = tuple(
        Encoding(name, _codes(reference, name, held.features[name], np.abs(errors)))
        for name in reference.feature_names
    )
    table = error_table(encodings, held.features, held.predictions)[kept]
    told = np.asarray(np.isfinite(table).any(axis=0))
    # A column of rare categories, or of texts, tells nothing.
    encodings = tuple(one for one, some in zip(encodings, told[:-1].tolist(), strict=True) if some)
    table = table[:, told]
    forests = fit_forest(table, size), fit_forest(table, size * size)
    return ErrorEstimator(encodings, *forests, len(size), _deviations(reference, held))


def _codes(
    reference: Reference, name: str, column: list[object], errors: Floats
) -> dict[str, float] | None:
    """The usual |error| of each category, drawn towards that of all rows; None for a number."""
    index = reference.layout.index[name, Role.FEATURE.value]
    if reference.layout.columns[index].column.kind is Kind.NUMERIC:
        return None
    totals: dict[str, float] = {}
    rows: Counter[str] = Counter()
    for value, error in zip(column, errors.tolist(), strict=True):
        if math.isfinite(error):
            text = category(value)
            totals[text] = totals.get(text, 0.0) + error
            rows[text] += 1
    usual = math.fsum(totals.values()) / max(rows.total(), 1)
    return {
        text: (totals[text] + PRIOR_ROWS * usual) / (count + PRIOR_ROWS)
        for text, count in rows.items()
        if count >= LEAST_CATEGORY_ROWS and text not in (MISSING, INVALID)
    }


def _deviations(reference: Reference, held: _Held) -> Mapping[str, float]:
    """Standard errors of the realised metrics, times √rows: what a single row adds to them."""
    task: Task = "regression"
    if reference.task in ("binary", "multiclass"):
        task = "binary" if reference.task == "binary" else "multiclass"
    sums = PerformanceSums(task)
    columns = {name: float_column(column) for name, column in held.probabilities.items()}
    for i in range(min(len(held.labels), DEVIATION_ROWS)):
        given = {name: float(column[i]) for name, column in columns.items()}
        sums.add(held.labels[i], held.predictions[i], given)
    root = math.sqrt(max(sums.rows, 1))
    return {name: _half(interval) / Z * root for name, interval in sums.intervals().items()}


def _half(interval: Interval) -> float:
    return (interval[1] - interval[0]) / 2.0


def _plain(column: Values) -> Sequence[object]:
    if isinstance(column, np.ndarray):
        listed: list[object] = column.tolist()
        return listed
    return list(column) if isinstance(column, Coded) else column
