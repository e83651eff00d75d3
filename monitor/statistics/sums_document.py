"""A pane's performance as values that JSON can hold, and back to the bit: so it outlives a process.

Knows the sums; nothing of panes or of where they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.statistics.calibration import BINS, CalibrationSums
from monitor.statistics.classes import Task
from monitor.statistics.classification import ClassificationSums
from monitor.statistics.magnitudes import Magnitudes
from monitor.statistics.performance import PerformanceSums
from monitor.statistics.probabilities import ProbabilitySums
from monitor.statistics.regression import SUMS, RegressionSums
from monitor.statistics.scores import ScoreHistogram
from monitor.statistics.summation import ExactSum

_LOSSES = ("losses", "brier", "squared_losses", "squared_brier")
Json = dict[str, Any]


def render_sums(sums: PerformanceSums) -> Json:
    """As a document.

    >>> pane = PerformanceSums("regression")
    >>> pane.add(0.1, 0.3), read_sums("regression", render_sums(pane)).metrics() == pane.metrics()
    (True, True)
    """
    if isinstance(sums.parts, RegressionSums):
        return _render_regression(sums.parts)
    return _render_classification(sums.parts)


def read_sums(task: Task, document: Mapping[str, Any]) -> PerformanceSums:
    """Of a document; KeyError, TypeError or ValueError on what is none."""
    sums = PerformanceSums(task)
    if isinstance(sums.parts, RegressionSums):
        _read_regression(sums.parts, document)
    else:
        _read_classification(sums.parts, document)
    return sums


def _render_regression(sums: RegressionSums) -> Json:
    return {
        "rows": sums.rows,
        "unscaled": sums.unscaled,
        "sums": [_term(getattr(sums, name)) for name in SUMS],
        "magnitudes": _bins(sums.magnitudes.bins),
    }


def _read_regression(sums: RegressionSums, document: Mapping[str, Any]) -> None:
    sums.rows, sums.unscaled = int(document["rows"]), int(document["unscaled"])
    for name, term in zip(SUMS, document["sums"], strict=True):
        setattr(sums, name, _read_term(term))
    sums.magnitudes = Magnitudes()
    sums.magnitudes.bins = _read_bins(document["magnitudes"])


def _render_classification(sums: ClassificationSums) -> Json:
    shares = sums.probabilities
    return {
        "rows": sums.rows,
        "confusion": [[*pair, count] for pair, count in sums.confusion.items()],
        "shared": shares.rows,
        "losses": [_term(getattr(shares, name)) for name in _LOSSES],
        "offered": shares.offered,
        "scores": {
            name: [_bins(one.of_class), _bins(one.others)] for name, one in shares.scores.items()
        },
        "calibration": {
            name: [one.rows, one.of_class, [_term(share) for share in one.shares]]
            for name, one in shares.calibration.items()
        },
    }


def _read_classification(sums: ClassificationSums, document: Mapping[str, Any]) -> None:
    shares = ProbabilitySums()
    shares.rows = int(document["shared"])
    for name, term in zip(_LOSSES, document["losses"], strict=True):
        setattr(shares, name, _read_term(term))
    shares.offered = {str(name): int(rows) for name, rows in document["offered"].items()}
    for name, (of_class, others) in document["scores"].items():
        scores = shares.scores[name] = ScoreHistogram()
        scores.of_class, scores.others = _read_bins(of_class), _read_bins(others)
    for name, cells in document["calibration"].items():
        shares.calibration[name] = _read_calibration(*cells)
    confusion = {(label, guess): int(rows) for label, guess, rows in document["confusion"]}
    sums.restore(int(document["rows"]), confusion, shares)


def _read_calibration(
    rows: Sequence[int], of_class: Sequence[int], shares: Sequence[str]
) -> CalibrationSums:
    sums = CalibrationSums()
    sums.rows, sums.of_class = [int(one) for one in rows], [int(one) for one in of_class]
    sums.shares = [_read_term(term) for term in shares]
    if not len(sums.rows) == len(sums.of_class) == len(sums.shares) == BINS:
        raise ValueError("not the bins of calibration")
    return sums


def _bins(bins: Mapping[int, int]) -> list[list[int]]:
    return [list(bins.keys()), list(bins.values())]


def _read_bins(columns: Sequence[Sequence[int]]) -> dict[int, int]:
    places, counts = columns
    return {int(place): int(count) for place, count in zip(places, counts, strict=True)}


def _term(term: ExactSum) -> str:
    """An exact sum as its digits and the power of two that they are counted in."""
    units = term.units
    shift = (units & -units).bit_length() - 1 if units else 0
    return f"{units >> shift:x}p{shift}"


def _read_term(text: str) -> ExactSum:
    digits, _, shift = text.partition("p")
    return ExactSum(int(digits, 16) << int(shift))
