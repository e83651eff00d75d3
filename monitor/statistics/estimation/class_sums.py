"""What calibrated probabilities lead one to expect of a classifier, as sums that add up.

Knows nothing of where the probabilities come from, or of names of classes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BINS_PER_LOGIT = 16
BINS = 40 * BINS_PER_LOGIT  # log-odds from -20 to 20: areas within .001 of those of the scores
_EPSILON = sys.float_info.epsilon


@dataclass(frozen=True, slots=True, eq=False)
class ClassSums:
    """Expected rows over `rows` rows and k classes; of two classes only the positive one is held.

    `hits[k]` = Σ p of rows predicted so, `predicted[k]` such rows, `labelled[k]` = Σ p; and by bin
    of the raw score `scored[k, bins]` rows and `expected[k, bins]` = Σ p.
    """

    rows: int
    right: float  # expected rows predicted right
    losses: float
    brier: float
    hits: Floats
    predicted: Floats
    labelled: Floats
    scored: Floats
    expected: Floats

    def __add__(self, other: ClassSums) -> ClassSums:
        if self.hits.shape != other.hits.shape:
            raise StatisticsError("estimates over different classes do not add up")
        names = (field.name for field in fields(ClassSums))
        return ClassSums(*(getattr(self, name) + getattr(other, name) for name in names))

    def metrics(self) -> dict[str, float]:
        """The expected metrics, each where it is defined.

        With TP = Σp[ŷ=k], FP = Σ(1−p)[ŷ=k], FN = Σp[ŷ≠k]: precision, recall and F1 follow, of the
        positive class or as means over classes. Areas: rows in the order of their raw score, each
        being p of a row of the class and 1 − p of another.
        """
        if self.rows <= 0:
            return {}
        found = {
            "accuracy": self.right / self.rows,
            "log_loss": self.losses / self.rows,
            "brier_score": self.brier / self.rows,
        }
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = {
                "precision": self.hits / self.predicted,
                "recall": self.hits / self.labelled,
                "f1": 2.0 * self.hits / (self.predicted + self.labelled),
                "roc_auc": self._areas(),
                "average_precision": self._precisions(),
            }
        if len(self.hits) > 1:  # a class that is never predicted counts as 0, as realised does
            for name in ("precision", "recall", "f1"):
                parts[name] = np.nan_to_num(parts[name], nan=0.0)
        means = {name: float(np.mean(part)) for name, part in parts.items()}
        return found | {name: value for name, value in means.items() if np.isfinite(value)}

    def _areas(self) -> Floats:
        others = self.scored - self.expected
        below = np.cumsum(others, axis=1) - others
        right = (self.expected * (below + 0.5 * others)).sum(axis=1)
        return np.asarray(right / (self.expected.sum(axis=1) * others.sum(axis=1)))

    def _precisions(self) -> Floats:
        hits = np.cumsum(self.expected[:, ::-1], axis=1)
        rows = np.cumsum(self.scored[:, ::-1], axis=1)
        precision = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
        return np.asarray((precision * self.expected[:, ::-1]).sum(axis=1) / hits[:, -1])


def no_rows(classes: int) -> ClassSums:
    """The identity of `+`."""
    nought, bins = np.zeros(classes), np.zeros((classes, BINS))
    return ClassSums(0, 0.0, 0.0, 0.0, nought, nought, nought, bins, bins)


def binary_sums(scores: Floats, shares: Floats, positive: NDArray[np.bool_]) -> ClassSums:
    """The sums of rows with the positive class's raw `scores[rows]` and calibrated
    `shares[rows]`, `positive[rows]` where that class was predicted.

    >>> scores = np.array([0.2, 0.9])
    >>> sums = binary_sums(scores, scores, scores > 0.5)
    >>> round(sums.metrics()["accuracy"], 6), round(sums.metrics()["precision"], 6)
    (0.85, 0.9)
    """
    raw = np.clip(scores, _EPSILON, 1.0 - _EPSILON)
    hits = float(shares[positive].sum())
    right = hits + float((1.0 - shares[~positive]).sum())
    losses = -(shares * np.log(raw) + (1.0 - shares) * np.log1p(-raw))
    brier = shares * (1.0 - scores) ** 2 + (1.0 - shares) * scores**2
    places = _bins(scores)
    return ClassSums(
        len(scores),
        right,
        float(losses.sum()),
        float(brier.sum()),
        np.array([hits]),
        np.array([float(positive.sum())]),
        np.array([float(shares.sum())]),
        _counted(places)[None, :],
        _counted(places, shares)[None, :],
    )


def multiclass_sums(scores: Floats, shares: Floats, predicted: Codes) -> ClassSums:
    """The sums of rows with raw `scores[rows, k]`, calibrated `shares[rows, k]` that add up to 1,
    and the code of the class predicted, `predicted[rows]`, −1 for one that has no probability.
    """
    rows, classes = shares.shape
    named = predicted >= 0
    of_guess = shares[np.flatnonzero(named), predicted[named]]
    raw = np.clip(scores, _EPSILON, 1.0 - _EPSILON)
    squares = (scores**2).sum(axis=1)
    brier = squares[:, None] - 2.0 * scores + 1.0  # Σⱼ (sⱼ − [j = k])², by true class k
    places = [_bins(scores[:, k]) for k in range(classes)]
    return ClassSums(
        rows,
        float(of_guess.sum()),
        float(-(shares * np.log(raw)).sum()),
        float((shares * brier).sum()),
        np.bincount(predicted[named], weights=of_guess, minlength=classes).astype(np.float64),
        np.bincount(predicted[named], minlength=classes).astype(np.float64),
        shares.sum(axis=0),
        np.stack([_counted(one) for one in places]),
        np.stack([_counted(one, shares[:, k]) for k, one in enumerate(places)]),
    )


def _counted(places: Codes, weights: Floats | None = None) -> Floats:
    return np.bincount(places, weights=weights, minlength=BINS).astype(np.float64)


def _bins(scores: Floats) -> Codes:
    with np.errstate(divide="ignore"):
        logits = np.log(scores) - np.log1p(-scores)
    half = BINS // 2
    places: Codes = np.clip(np.floor(logits * BINS_PER_LOGIT), -half, half - 1).astype(np.int64)
    return places + half
