"""Regression performance as sums that add up over panes, replicas and corrections.

Knows nothing of windows or labels' ways; a row is a number and a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError
from monitor.statistics.classes import number
from monitor.statistics.summation import ExactSum, squared_deviations


class RegressionSums:
    """Rows counted by their label and prediction; all sums are exact, so the order of rows never
    shows.

    Let e = prediction − label in float arithmetic, over n rows:

    - rmse = √(Σe²/n), mae = Σ|e|/n, mean_error = Σe/n (above zero: the model predicts too much)
    - r2 = 1 − Σe² / Σ(label − mean label)²; absent where all labels are equal or n < 2

    Source: scikit-learn's user guide, section "Regression metrics", whose figures these equal.

    >>> sums = RegressionSums()
    >>> for label, prediction in ((3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)):
    ...     _ = sums.add(label, prediction)
    >>> sums.metrics()["mae"], round(sums.metrics()["r2"], 6)
    (0.5, 0.948608)
    """

    __slots__ = ("absolute", "errors", "labels", "rows", "squared", "squared_labels")

    def __init__(self) -> None:
        self.rows = 0
        self.errors = ExactSum()
        self.absolute = ExactSum()
        self.squared = ExactSum()
        self.labels = ExactSum()
        self.squared_labels = ExactSum()

    def add(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,  # noqa: ARG002 - one signature over tasks
    ) -> bool:
        """Count a row; False, and nothing counted, where label or prediction is no finite
        number.
        """
        pair = _pair(label, prediction)
        if pair is None:
            return False
        truth, error = pair
        self.rows += 1
        self.errors.add(error)
        self.absolute.add(abs(error))
        self.squared.add_square(error)
        self.labels.add(truth)
        self.squared_labels.add_square(truth)
        return True

    def remove(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,  # noqa: ARG002 - one signature over tasks
    ) -> bool:
        """Take back a row that was added, here or in what this will be added to."""
        pair = _pair(label, prediction)
        if pair is None:
            return False
        truth, error = pair
        self.rows -= 1
        self.errors.subtract(error)
        self.absolute.subtract(abs(error))
        self.squared.subtract_square(error)
        self.labels.subtract(truth)
        self.squared_labels.subtract_square(truth)
        return True

    def __add__(self, other: RegressionSums) -> RegressionSums:
        total = RegressionSums()
        total.rows = self.rows + other.rows
        for name in ("errors", "absolute", "squared", "labels", "squared_labels"):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def metrics(self) -> dict[str, float]:
        """rmse, mae, mean_error and r2, each only where it is defined on these rows."""
        if self.rows <= 0:
            return {}
        found = {
            "rmse": math.sqrt(self.squared.mean(self.rows)),
            "mae": self.absolute.mean(self.rows),
            "mean_error": self.errors.mean(self.rows),
        }
        spread = squared_deviations(self.labels, self.squared_labels, self.rows)
        if self.rows > 1 and 0 < spread < math.inf:
            found["r2"] = 1.0 - self.squared.value() / spread
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def by_class(self) -> dict[str, dict[str, float]]:
        """Nothing: a regression has no classes."""
        return {}


def _pair(label: object, prediction: object) -> tuple[float, float] | None:
    """The label and the prediction's error as finite floats, or None."""
    truth, predicted = number(label), number(prediction)
    if truth is None or predicted is None:
        return None
    error = predicted - truth
    return (truth, error) if math.isfinite(error) else None


def regression_metrics(
    labels: Sequence[object] | NDArray[np.float64],
    predictions: Sequence[object] | NDArray[np.float64],
) -> dict[str, float]:
    """The metrics of `RegressionSums` over whole columns, in one vectorised pass.

    Parameters: two columns of equal length, in the target's own unit; a row in which either is
    missing, not finite or no number is left out. StatisticsError where their lengths differ.

    >>> regression_metrics([3.0, -0.5, 2.0, None], [2.5, 0.0, 2.0, 8.0])["mae"]
    0.3333333333333333
    """
    truth, predicted = float_column(labels), float_column(predictions)
    require_equal_lengths(len(truth), len(predicted))
    with np.errstate(over="ignore", invalid="ignore"):
        errors = predicted - truth
        kept = np.isfinite(errors)
        truth, errors = truth[kept], errors[kept]
        if not errors.size:
            return {}
        squared = float(errors @ errors)
        found = {
            "rmse": math.sqrt(squared / errors.size),
            "mae": float(np.abs(errors).mean()),
            "mean_error": float(errors.mean()),
        }
        centred = truth - truth.mean()
        spread = float(centred @ centred)
        if errors.size > 1 and truth.min() < truth.max() and 0 < spread < math.inf:
            found["r2"] = 1.0 - squared / spread
    return {name: value for name, value in found.items() if math.isfinite(value)}


def float_column(values: Sequence[object] | NDArray[np.float64]) -> NDArray[np.float64]:
    """A column as floats; what is missing or no number is NaN."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    read = (number(value.item() if isinstance(value, np.generic) else value) for value in listed)
    return np.fromiter((math.nan if value is None else value for value in read), np.float64)


def require_equal_lengths(*lengths: int) -> None:
    """StatisticsError unless all columns have the same number of rows."""
    if len(set(lengths)) > 1:
        raise StatisticsError(f"columns of different lengths: {', '.join(map(str, lengths))} rows")
