"""How good predicted probabilities were: log loss, Brier score, areas under curves and calibration
as sums and counts that add up.

Knows nothing of the predicted class itself, only of the label and the probability given to each
class.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping

from monitor.statistics.calibration import CalibrationSums
from monitor.statistics.classes import class_name, number
from monitor.statistics.intervals import Interval, mean_of, of_mean, present
from monitor.statistics.scores import ScoreHistogram
from monitor.statistics.summation import ExactSum

_EPSILON = sys.float_info.epsilon  # scikit-learn clips log loss here
_SUM_TOLERANCE = 0.02  # models round their answers; what sums to less or more is no distribution
MAX_RANKED_CLASSES = 20  # one histogram a class: with more classes there are no areas


class ProbabilitySums:
    """Rows that came with probabilities, over n of them:

    - log_loss = −Σ ln p(label) / n, p clipped to [ε, 1−ε] with ε = 2⁻⁵²
    - brier_score = Σ Σₖ (pₖ − [label is k])² / n, halved for rows of two classes
    - roc_auc, average_precision, calibration_error: of the class (two classes), or the plain mean
      over classes against the rest

    Source: scikit-learn's user guide, section "Classification metrics", whose figures these equal;
    the areas within the bound of `ScoreHistogram`.
    """

    __slots__ = (
        "brier", "calibration", "losses", "offered", "rows", "scores", "squared_brier",
        "squared_losses",
    )  # fmt: skip

    def __init__(self) -> None:
        self.rows = 0
        self.losses = ExactSum()
        self.brier = ExactSum()
        self.squared_losses = ExactSum()
        self.squared_brier = ExactSum()
        self.offered: dict[str, int] = {}  # class → rows in which it had a probability
        self.scores: dict[str, ScoreHistogram] = {}
        self.calibration: dict[str, CalibrationSums] = {}

    def count(self, label: str, probabilities: Mapping[str, float], step: int) -> bool:
        """Count a row, or with step -1 take it back; False where the probabilities are no
        distribution.
        """
        given = distribution(probabilities)
        if not given:
            return False
        loss, brier = _losses(label, given)
        add = ExactSum.add if step > 0 else ExactSum.subtract
        add_square = ExactSum.add_square if step > 0 else ExactSum.subtract_square
        for value, terms, squares in (
            (loss, self.losses, self.squared_losses),
            (brier, self.brier, self.squared_brier),
        ):
            add(terms, value)
            add_square(squares, value)
        self.rows += step
        for name in given:
            self.offered[name] = self.offered.get(name, 0) + step
            if not self.offered[name]:
                del self.offered[name]
        for name in _ranked(given):
            self._rank(name, given[name], name == label, step)
        return True

    def _rank(self, name: str, share: float, of_class: bool, step: int) -> None:  # noqa: FBT001
        scores = self.scores.setdefault(name, ScoreHistogram())
        scores.count(share, of_class, step)
        calibration = self.calibration.setdefault(name, CalibrationSums())
        calibration.count(share, of_class, step)
        if not (scores.of_class or scores.others):
            del self.scores[name], self.calibration[name]

    def __add__(self, other: ProbabilitySums) -> ProbabilitySums:
        total = ProbabilitySums()
        total.rows = self.rows + other.rows
        for name in ("losses", "brier", "squared_losses", "squared_brier"):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        offered = dict(self.offered)
        for name, count in other.offered.items():
            offered[name] = offered.get(name, 0) + count
        total.offered = {name: count for name, count in offered.items() if count}
        for name in self.scores.keys() | other.scores.keys():
            scores = self.scores.get(name, _NO_SCORES) + other.scores.get(name, _NO_SCORES)
            if scores.of_class or scores.others:
                total.scores[name] = scores
                total.calibration[name] = self.calibration.get(
                    name, _NO_CALIBRATION
                ) + other.calibration.get(name, _NO_CALIBRATION)
        return total

    def metrics(self) -> dict[str, float]:
        """log_loss, brier_score, roc_auc, average_precision and calibration_error, each where it is
        defined.
        """
        if self.rows <= 0:
            return {}
        found = {"log_loss": self.losses.mean(self.rows), "brier_score": self.brier.mean(self.rows)}
        for name, by_class in self.by_class().items():
            if by_class and len(by_class) == len(self.scores):
                found[name] = math.fsum(by_class.values()) / len(by_class)
        return found

    def by_class(self) -> dict[str, dict[str, float]]:
        """roc_auc, average_precision and calibration_error of each class against all others, where
        defined: metric → class → value.
        """
        names = sorted(self.scores)
        found = {
            "roc_auc": {name: self.scores[name].auc() for name in names},
            "average_precision": {name: self.scores[name].average_precision() for name in names},
            "calibration_error": {name: self.calibration[name].error() for name in names},
        }
        return {
            metric: {name: value for name, value in by_class.items() if value is not None}
            for metric, by_class in found.items()
        }

    def intervals(self) -> dict[str, Interval]:
        """95 % intervals: of the means by their squares, of the areas each class's own; of a mean
        over classes the means of their bounds, which is too wide rather than too narrow.
        """
        if self.rows <= 0:
            return {}
        found = {
            name: of_mean(terms.mean(self.rows), squares.mean(self.rows), self.rows)
            for name, terms, squares in (
                ("log_loss", self.losses, self.squared_losses),
                ("brier_score", self.brier, self.squared_brier),
            )
        }
        ranked = self.scores.values()
        found["roc_auc"] = mean_of([one.auc_interval() for one in ranked])
        found["average_precision"] = mean_of([one.average_precision_interval() for one in ranked])
        return present(found)


_NO_SCORES = ScoreHistogram()
_NO_CALIBRATION = CalibrationSums()


def distribution(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Canonical class → probability in [0, 1]; empty where they are no distribution over classes.

    A single probability is that of its class against all others.

    >>> distribution({"1": 0.75}), distribution({"True": 0.5, "False": 0.5})
    ({'1': 0.75}, {'1': 0.5, '0': 0.5})
    >>> distribution({"a": 3.1, "b": -2.0}), distribution({"a": 0.2, "b": 0.1})
    ({}, {})
    """
    given: dict[str, float] = {}
    for name, value in probabilities.items():
        share = number(value)
        if share is None or not -_SUM_TOLERANCE <= share <= 1.0 + _SUM_TOLERANCE:
            return {}
        given[class_name(name)] = min(1.0, max(0.0, share))
    if len(given) > 1 and abs(math.fsum(given.values()) - 1.0) > _SUM_TOLERANCE:
        return {}
    return given


def _ranked(given: Mapping[str, float]) -> Collection[str]:
    """The classes whose scores are ranked: of two only one, as the other's area is the same."""
    if len(given) == 2:
        return (max(given),)
    return given.keys() if len(given) <= MAX_RANKED_CLASSES else ()


def _losses(label: str, given: Mapping[str, float]) -> tuple[float, float]:
    """One row's log loss and Brier score."""
    if len(given) == 1:
        ((name, share),) = given.items()
        miss = 1.0 - share if name == label else share
        return _log_loss(1.0 - miss), miss * miss
    squares = [(share - (name == label)) ** 2 for name, share in given.items()]
    if label not in given:
        squares.append(1.0)
    brier = math.fsum(squares)
    return _log_loss(given.get(label, 0.0)), brier / 2 if len(squares) == 2 else brier


def _log_loss(share: float) -> float:
    return -math.log(min(1.0 - _EPSILON, max(_EPSILON, share)))
