"""Regression performance as sums that add up over panes, replicas and corrections.

Knows nothing of windows or labels' ways; a row is a number and a number.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError
from monitor.statistics.classes import number
from monitor.statistics.intervals import Interval, of_mean, of_root, present
from monitor.statistics.magnitudes import Magnitudes
from monitor.statistics.summation import ExactSum, squared_deviations

QUANTILES = {
    "absolute_error_p50": 0.5,
    "absolute_error_p90": 0.9,
    "absolute_error_p95": 0.95,
    "absolute_error_p99": 0.99,
}
SUMS = (
    "errors", "absolute", "squared", "fourth", "relative", "squared_relative", "labels",
    "squared_labels",
)  # fmt: skip
_LARGEST = sys.float_info.max


class RegressionSums:
    """Rows counted by their label and prediction; all sums are exact, so the order of rows never
    shows.

    Let e = prediction − label in float arithmetic, over n rows:

    - rmse = √(Σe²/n), mae = Σ|e|/n, mean_error = Σe/n (above zero: the model predicts too much)
    - mape = Σ|e/label|/n, a share and not a percentage; absent where a label is 0
    - r2 = 1 − Σe² / Σ(label − mean label)²; absent where all labels are equal or n < 2
    - absolute_error_p50, p90, p95, p99: quantiles of |e|, within 1 % (see `Magnitudes`)

    Source: scikit-learn's user guide, section "Regression metrics", whose figures these equal.

    >>> sums = RegressionSums()
    >>> for label, prediction in ((3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)):
    ...     _ = sums.add(label, prediction)
    >>> sums.metrics()["mae"], round(sums.metrics()["r2"], 6)
    (0.5, 0.948608)
    """

    __slots__ = (*SUMS, "magnitudes", "rows", "unscaled")

    def __init__(self) -> None:
        self.rows = 0
        self.unscaled = 0  # rows of which no relative error can be told
        self.errors = ExactSum()
        self.absolute = ExactSum()
        self.squared = ExactSum()
        self.fourth = ExactSum()
        self.relative = ExactSum()
        self.squared_relative = ExactSum()
        self.labels = ExactSum()
        self.squared_labels = ExactSum()
        self.magnitudes = Magnitudes()

    def add(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,  # noqa: ARG002 - one signature over tasks
    ) -> bool:
        """Count a row; False, and nothing counted, where label or prediction is no finite
        number.
        """
        return self._count(label, prediction, 1)

    def remove(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,  # noqa: ARG002 - one signature over tasks
    ) -> bool:
        """Take back a row that was added, here or in what this will be added to."""
        return self._count(label, prediction, -1)

    def _count(self, label: object, prediction: object, step: int) -> bool:
        pair = truth_and_error(label, prediction)
        if pair is None:
            return False
        truth, error = pair
        add = ExactSum.add if step > 0 else ExactSum.subtract
        add_square = ExactSum.add_square if step > 0 else ExactSum.subtract_square
        self.rows += step
        size = abs(error)
        add(self.errors, error)
        add(self.absolute, size)
        add_square(self.squared, error)
        add_square(self.fourth, min(error * error, _LARGEST))
        add(self.labels, truth)
        add_square(self.squared_labels, truth)
        self.magnitudes.count(size, step)
        relative = size / abs(truth) if truth else math.inf
        if math.isfinite(relative):
            add(self.relative, relative)
            add_square(self.squared_relative, relative)
        else:
            self.unscaled += step
        return True

    def __add__(self, other: RegressionSums) -> RegressionSums:
        total = RegressionSums()
        total.rows = self.rows + other.rows
        total.unscaled = self.unscaled + other.unscaled
        total.magnitudes = self.magnitudes + other.magnitudes
        for name in SUMS:
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def metrics(self) -> dict[str, float]:
        """rmse, mae, mean_error, mape, r2 and the quantiles, each only where defined on these
        rows.
        """
        rows = self.rows
        if rows <= 0:
            return {}
        found = {
            "rmse": math.sqrt(self.squared.mean(rows)),
            "mae": self.absolute.mean(rows),
            "mean_error": self.errors.mean(rows),
        }
        if not self.unscaled:
            found["mape"] = self.relative.mean(rows)
        spread = squared_deviations(self.labels, self.squared_labels, rows)
        if rows > 1 and 0 < spread < math.inf:
            found["r2"] = 1.0 - self.squared.value() / spread
        found |= {name: self.magnitudes.quantile(share) for name, share in QUANTILES.items()}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def by_class(self) -> dict[str, dict[str, float]]:
        """Nothing: a regression has no classes."""
        return {}

    def intervals(self) -> dict[str, Interval]:
        """95 % intervals: of means by the central limit theorem, of rmse as the root of Σe²/n's, of
        quantiles between two ranks; none of r2.
        """
        rows = self.rows
        if rows <= 0:
            return {}
        square = self.squared.mean(rows)
        found = {
            "rmse": of_root(of_mean(square, self.fourth.mean(rows), rows)),
            "mae": of_mean(self.absolute.mean(rows), square, rows),
            "mean_error": of_mean(self.errors.mean(rows), square, rows),
        }
        if not self.unscaled:
            mean_square = self.squared_relative.mean(rows)
            found["mape"] = of_mean(self.relative.mean(rows), mean_square, rows)
        if rows > 1:
            for name, share in QUANTILES.items():
                found[name] = self.magnitudes.interval(share)
        return present(found)


def truth_and_error(label: object, prediction: object) -> tuple[float, float] | None:
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
    """The metrics of `RegressionSums` over whole columns, in one vectorised pass; the quantiles are
    the sample's own.

    Parameters: two columns of equal length, in the target's own unit; a row in which either is
    missing, not finite or no number is left out. StatisticsError where their lengths differ.

    >>> regression_metrics([3.0, -0.5, 2.0, None], [2.5, 0.0, 2.0, 8.0])["mae"]
    0.3333333333333333
    """
    truth, predicted = float_column(labels), float_column(predictions)
    require_equal_lengths(len(truth), len(predicted))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = predicted - truth
        kept = np.isfinite(errors)
        truth, errors = truth[kept], errors[kept]
        if not errors.size:
            return {}
        sizes = np.abs(errors)
        squared = float(errors @ errors)
        found = {
            "rmse": math.sqrt(squared / errors.size),
            "mae": float(sizes.mean()),
            "mean_error": float(errors.mean()),
            "mape": float((sizes / np.abs(truth)).mean()),
        }
        centred = truth - truth.mean()
        spread = float(centred @ centred)
        if errors.size > 1 and truth.min() < truth.max() and 0 < spread < math.inf:
            found["r2"] = 1.0 - squared / spread
        levels = list(QUANTILES.values())
        quantiles = np.quantile(sizes, levels, method="inverted_cdf").tolist()
        found |= dict(zip(QUANTILES, quantiles, strict=True))
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
