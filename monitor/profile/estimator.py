"""What a reference carries to estimate performance without labels, and how it reads live rows.

Plain numbers only. Knows nothing of how it was fitted, of files, or of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.profile.values import Values, category, numbers
from monitor.records.batch import PREDICTION
from monitor.statistics.classes import class_name
from monitor.statistics.estimation.calibration import Calibration
from monitor.statistics.estimation.class_sums import (
    ClassSums,
    binary_sums,
    multiclass_sums,
    no_rows,
)
from monitor.statistics.estimation.error_sums import ErrorSums, error_sums
from monitor.statistics.estimation.forest import Forest

Floats = NDArray[np.float64]
Named = Mapping[str, Values]

SUM_TOLERANCE = 0.02  # as realised metrics have it


@dataclass(frozen=True, slots=True, eq=False)
class ClassEstimator:
    """Calibrations of a classifier's probabilities: of each class, or of two the positive one's;
    None where its scores are calibrated as they are.

    `deviations` are the standard deviations of the realised metrics as of single rows: a window of
    n rows has metrics that spread by deviation / √n about what is expected.
    """

    classes: tuple[str, ...]
    calibrations: tuple[Calibration | None, ...]
    rows: int
    deviations: Mapping[str, float] = field(default_factory=dict)

    @property
    def identity(self) -> ClassSums:
        """No rows."""
        return no_rows(len(self.classes))

    def sums(self, features: Named, outputs: Named, probabilities: Named) -> ClassSums:  # noqa: ARG002
        """What is expected of these rows; those without prediction or probabilities do not
        count."""
        guesses = outputs.get(PREDICTION)
        given = {class_name(name): column for name, column in probabilities.items()}
        scores = self.scores(given)
        if guesses is None or scores is None:
            return self.identity
        names = class_names(guesses)
        total = scores.sum(axis=1)
        near = (scores >= -SUM_TOLERANCE).all(axis=1) & (total <= 1.0 + SUM_TOLERANCE)
        if len(self.classes) > 1:
            near &= total >= 1.0 - SUM_TOLERANCE
        kept = near & np.array([name is not None for name in names], dtype=np.bool_)
        scores = np.clip(scores[kept], 0.0, 1.0)
        codes = {name: code for code, name in enumerate(self.classes)}
        predicted = np.array([codes.get(name or "", -1) for name in names], dtype=np.int64)[kept]
        shares = self.shares(scores)
        if len(self.classes) == 1:
            return binary_sums(scores[:, 0], shares[:, 0], predicted == 0)
        return multiclass_sums(scores, shares, predicted)

    def scores(self, given: Named) -> Floats | None:
        """Raw scores `[rows, classes]`, NaN where there is none; None where a class is missing."""
        columns = [numbers(given[name])[0] for name in self.classes if name in given]
        if len(columns) == len(self.classes):
            return np.column_stack(columns)
        if len(self.classes) == len(given) == 1:
            (column,) = given.values()
            return 1.0 - numbers(column)[0][:, None]  # the other class's
        return None

    def shares(self, scores: Floats) -> Floats:
        """Calibrated probabilities `[rows, classes]`; of several classes they add up to 1."""
        columns = [
            scores[:, k] if calibration is None else calibration.apply(scores[:, k])
            for k, calibration in enumerate(self.calibrations)
        ]
        shares = np.column_stack(columns)
        if len(self.classes) == 1:
            return shares
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, shares, scores) / np.where(total > 0, total, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One feature as a number: as it is, or by its category's usual error; NaN for any other."""

    name: str
    codes: Mapping[str, float] | None = None

    def read(self, column: Values) -> Floats:
        """The feature's numbers `[rows]`."""
        if self.codes is None:
            return numbers(column)[0]
        codes = self.codes
        return np.array([codes.get(category(value), np.nan) for value in column], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorEstimator:
    """Forests that expect |error| and error² from the features and the prediction."""

    features: tuple[Encoding, ...]
    absolute: Forest
    squared: Forest
    rows: int
    deviations: Mapping[str, float] = field(default_factory=dict)

    @property
    def identity(self) -> ErrorSums:
        """No rows."""
        return ErrorSums()

    def sums(self, features: Named, outputs: Named, weight: float = 1.0) -> ErrorSums:
        """What is expected of these rows, each standing for `weight` rows; those without prediction
        do not count."""
        guesses = outputs.get(PREDICTION)
        if guesses is None:
            return self.identity
        table = error_table(self.features, features, guesses)
        table = table[np.isfinite(table[:, -1])]
        return error_sums(self.absolute.predict(table), self.squared.predict(table), weight)


Estimator = ClassEstimator | ErrorEstimator


def error_table(encodings: Sequence[Encoding], features: Named, guesses: Values) -> Floats:
    """Features and prediction `[rows, features + 1]`; what did not come is missing."""
    absent = np.full(len(guesses), np.nan)
    columns = [
        one.read(features[one.name]) if one.name in features else absent for one in encodings
    ]
    table = np.column_stack([*columns, numbers(guesses)[0]])
    return np.where(np.isfinite(table), table, np.nan)


def class_names(values: Sequence[object] | NDArray[np.generic]) -> list[str | None]:
    """Each row's class, None where there is none."""
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    return [
        class_name(value)
        if isinstance(value, (str, int, float)) and value == value and value not in _INFINITE  # noqa: PLR0124
        else None
        for value in listed
    ]


_INFINITE = (float("inf"), float("-inf"))
