"""How good predicted probabilities were: log loss, Brier score and ROC AUC as sums and counts that
add up.

Knows nothing of the predicted class itself, only of the label and the probability given to each
class.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping

from monitor.statistics.classes import class_name, number
from monitor.statistics.summation import ExactSum

_EPSILON = sys.float_info.epsilon  # scikit-learn clips log loss here
_SUM_TOLERANCE = 0.02  # models round their answers; what sums to less or more is no distribution
_BINS_PER_LOGIT = 128  # AUC within .002 unless all scores lie within some .1 of log-odds
_LAST_BIN = 40 * _BINS_PER_LOGIT  # beyond float's own resolution of 1 - p
MAX_RANKED_CLASSES = 20  # one histogram a class: with more classes there is no ROC AUC


class ScoreHistogram:
    """Scores of rows that were, and were not, of one class, in fine bins of equal width in log-
    odds.

    The area under the ROC curve is the share of (row of the class, row of another) pairs that the
    score orders right. Pairs in one bin count half, so it is off by at most half the share of such
    pairs: `bound`.

    >>> scores = ScoreHistogram()
    >>> for score, of_class in ((0.1, False), (0.4, False), (0.35, True), (0.8, True)):
    ...     scores.count(score, of_class, 1)
    >>> scores.auc()
    0.75
    """

    __slots__ = ("of_class", "others")

    def __init__(self) -> None:
        self.of_class: dict[int, int] = {}
        self.others: dict[int, int] = {}

    def count(self, score: float, of_class: bool, step: int) -> None:  # noqa: FBT001 - the fact itself
        """Count a row's score in [0, 1], or with step -1 take it back."""
        bins = self.of_class if of_class else self.others
        place = _bin(score)
        count = bins.get(place, 0) + step
        if count:
            bins[place] = count
        else:
            bins.pop(place, None)

    def __add__(self, other: ScoreHistogram) -> ScoreHistogram:
        total = ScoreHistogram()
        for name in ("of_class", "others"):
            bins = dict(getattr(self, name))
            for place, count in getattr(other, name).items():
                bins[place] = bins.get(place, 0) + count
            setattr(total, name, {place: count for place, count in bins.items() if count})
        return total

    def auc(self) -> float | None:
        """The area under the ROC curve, or None where one of the two kinds of row is missing."""
        pairs = sum(self.of_class.values()) * sum(self.others.values())
        if pairs <= 0:
            return None
        doubled = below = 0
        for place in sorted(self.of_class.keys() | self.others.keys()):
            others = self.others.get(place, 0)
            doubled += self.of_class.get(place, 0) * (2 * below + others)
            below += others
        return doubled / (2 * pairs)

    def bound(self) -> float:
        """How far `auc` can be from that of the unbinned scores."""
        pairs = sum(self.of_class.values()) * sum(self.others.values())
        tied = sum(count * self.others.get(place, 0) for place, count in self.of_class.items())
        return tied / (2 * pairs) if pairs > 0 else 0.0


_NO_SCORES = ScoreHistogram()


def _bin(score: float) -> int:
    if score <= 0.0:
        return -_LAST_BIN
    if score >= 1.0:
        return _LAST_BIN
    place = math.floor((math.log(score) - math.log1p(-score)) * _BINS_PER_LOGIT)
    return max(-_LAST_BIN, min(_LAST_BIN, place))


class ProbabilitySums:
    """Rows that came with probabilities, over n of them:

    - log_loss = −Σ ln p(label) / n, p clipped to [ε, 1−ε] with ε = 2⁻⁵²
    - brier_score = Σ Σₖ (pₖ − [label is k])² / n, halved for rows of two classes
    - roc_auc: of the class (two classes), or the plain mean over classes against the rest

    Source: scikit-learn's user guide, section "Classification metrics", whose figures the first two
    equal.
    """

    __slots__ = ("brier", "losses", "offered", "rows", "scores")

    def __init__(self) -> None:
        self.rows = 0
        self.losses = ExactSum()
        self.brier = ExactSum()
        self.offered: dict[str, int] = {}  # class → rows in which it had a probability
        self.scores: dict[str, ScoreHistogram] = {}

    def count(self, label: str, probabilities: Mapping[str, float], step: int) -> bool:
        """Count a row, or with step -1 take it back; False where the probabilities are no
        distribution.
        """
        given = distribution(probabilities)
        if not given:
            return False
        loss, brier = _losses(label, given)
        add = ExactSum.add if step > 0 else ExactSum.subtract
        add(self.losses, loss)
        add(self.brier, brier)
        self.rows += step
        ranked = _ranked(given)
        for name, share in given.items():
            self.offered[name] = self.offered.get(name, 0) + step
            if not self.offered[name]:
                del self.offered[name]
            if name in ranked:
                scores = self.scores.setdefault(name, ScoreHistogram())
                scores.count(share, name == label, step)
                if not (scores.of_class or scores.others):
                    del self.scores[name]
        return True

    def __add__(self, other: ProbabilitySums) -> ProbabilitySums:
        total = ProbabilitySums()
        total.rows = self.rows + other.rows
        total.losses = self.losses + other.losses
        total.brier = self.brier + other.brier
        offered = dict(self.offered)
        scores = {name: histogram + _NO_SCORES for name, histogram in self.scores.items()}
        for name, count in other.offered.items():
            offered[name] = offered.get(name, 0) + count
        for name, histogram in other.scores.items():
            scores[name] = scores[name] + histogram if name in scores else histogram + _NO_SCORES
        total.offered = {name: count for name, count in offered.items() if count}
        total.scores = {name: one for name, one in scores.items() if one.of_class or one.others}
        return total

    def metrics(self) -> dict[str, float]:
        """log_loss, brier_score and roc_auc, each where it is defined."""
        if self.rows <= 0:
            return {}
        found = {"log_loss": self.losses.mean(self.rows), "brier_score": self.brier.mean(self.rows)}
        areas = self.areas()
        if areas and len(areas) == len(self.scores):
            found["roc_auc"] = math.fsum(areas.values()) / len(areas)
        return found

    def areas(self) -> dict[str, float]:
        """Each class's ROC AUC against all others, where there are rows of both kinds."""
        areas = {name: scores.auc() for name, scores in sorted(self.scores.items())}
        return {name: area for name, area in areas.items() if area is not None}


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
