"""Labels and predictions of a reference, kept side by side for the function that knows the
metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from monitor.profile import values as read
from monitor.profile.reference import ReferencePerformance
from monitor.profile.values import Values

Named = Mapping[str, Values]
Plain = Sequence[object]
Score = Callable[[str, Plain, Plain, Mapping[str, Plain] | None], Mapping[str, float]]

MAX_ROWS = 1_000_000
MOST_CHUNKS = 20  # in the file's order, so that the model's ups and downs over time are in them
LEAST_CHUNKS = 5
LEAST_CHUNK_ROWS = 100


class Scored:
    """Labels and predictions, kept whole up to a bound, for the reference's performance."""

    def __init__(self) -> None:
        self._labels: list[object] = []
        self._predictions: list[object] = []
        self._probabilities: dict[str, list[object]] = {}

    def take(self, labels: Values, predictions: Values, probabilities: Named) -> None:
        """Takes in some rows; those without label or prediction say nothing."""
        if len(self._labels) >= MAX_ROWS:
            return
        label, prediction = _plain(labels), _plain(predictions)
        kept = [
            i
            for i, pair in enumerate(zip(label, prediction, strict=True))
            if not any(read.category(value) in (read.MISSING, read.INVALID) for value in pair)
        ][: MAX_ROWS - len(self._labels)]
        self._labels += [label[i] for i in kept]
        self._predictions += [prediction[i] for i in kept]
        for name, column in probabilities.items():
            plain = _plain(column)
            self._probabilities.setdefault(name, []).extend(plain[i] for i in kept)

    def performance(self, score: Score, task: str) -> ReferencePerformance | None:
        """What `score` says of the rows; None without any."""
        if not self._labels:
            return None
        probabilities = self._probabilities or None
        metrics = score(task, self._labels, self._predictions, probabilities)
        chunk_rows, spread = self._spread(score, task)
        return ReferencePerformance(
            len(self._labels), dict(metrics), chunk_rows=chunk_rows, spread=spread
        )

    def _spread(self, score: Score, task: str) -> tuple[int, dict[str, tuple[float, float]]]:
        """Rows of a chunk, and each metric's mean and standard deviation over the chunks."""
        rows = len(self._labels)
        chunks = min(MOST_CHUNKS, rows // LEAST_CHUNK_ROWS)
        if chunks < LEAST_CHUNKS:
            return 0, {}
        found: dict[str, list[float]] = {}
        size = rows // chunks
        for start in range(0, size * chunks, size):
            part = slice(start, start + size)
            shares = {name: column[part] for name, column in self._probabilities.items()}
            metrics = score(task, self._labels[part], self._predictions[part], shares or None)
            for name, value in metrics.items():
                found.setdefault(name, []).append(value)
        return size, {
            name: (float(np.mean(values)), float(np.std(values, ddof=1)))
            for name, values in found.items()
            if len(values) == chunks
        }


def _plain(column: Values) -> list[object]:
    if isinstance(column, np.ndarray):
        plain: list[object] = column.tolist()
        return plain
    return list(column)
