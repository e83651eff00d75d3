"""Concept drift: a sequential test on the errors of predictions, in the order their labels come.

Knows nothing of windows; tells how large the errors were before, and how large they are since.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.records.label import Joined
from monitor.snapshot import ErrorShift
from monitor.statistics.classes import Task, class_name, number
from monitor.statistics.sequential.adwin import Adwin, AdwinSettings

DELTA = 0.002  # of a false cut at one check, by a wide bound: none in 400,000 errors that stayed
RECENT = 64  # errors whose mean tells a rise from a fall
WARM_UP = 200  # labels that tell the size of errors where no reference does
SCALE = 4.0  # times the usual error: larger ones count as that, so one outlier is no shift


class ErrorStream:
    """ADWIN over 0/1 losses, or over |error| as a share of four usual ones, at most 1.

    Only a rise is told; a fall begins a new stream. What was found is kept for `hold_seconds`, or
    until the errors fall again.
    """

    def __init__(self, task: Task, usual_error: float | None, hold_seconds: float) -> None:
        self._task = task
        self._scale = SCALE * usual_error if usual_error else None
        self._hold = hold_seconds
        self._detector = Adwin(AdwinSettings(delta=DELTA))
        self._warm_up: list[float] = []
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._rows = 0
        self._total = 0.0
        self._found: ErrorShift | None = None

    def add(self, joined: Sequence[Joined]) -> None:
        """Take the errors of labels that came for the first time."""
        for one in joined:
            if one.label is None or one.previous is not None:
                continue
            error = self._error(one.label.value, one.prediction.value)
            if error is not None:
                self._take(error, max(one.label.received_at, one.prediction.at))

    def found(self, now: float) -> ErrorShift | None:
        """The rise that was found last, while it is news."""
        if self._found is not None and now - self._found.at > self._hold:
            self._found = None
        return self._found

    def to_document(self) -> dict[str, Any]:
        """The stream and what was found in it, as JSON can hold it."""
        found = self._found
        return {
            "scale": self._scale,
            "warm_up": self._warm_up,
            "recent": list(self._recent),
            "rows": self._rows,
            "total": self._total,
            "detector": self._detector.to_document(),
            "found": found and [found.at, found.before, found.since, found.rows],
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Go on with an earlier process's stream; KeyError, TypeError, ValueError on what is
        none."""
        self._detector.restore(document["detector"])
        self._scale = document["scale"] and float(document["scale"])
        self._warm_up = [float(error) for error in document["warm_up"]]
        self._recent = deque((float(error) for error in document["recent"]), maxlen=RECENT)
        self._rows, self._total = int(document["rows"]), float(document["total"])
        if document["found"] is not None:
            at, before, since, rows = document["found"]
            self._found = ErrorShift(float(at), float(before), float(since), int(rows))

    def _error(self, label: object, prediction: object) -> float | None:
        if self._task == "regression":
            truth, guess = number(label), number(prediction)
            if truth is None or guess is None or not math.isfinite(guess - truth):
                return None
            return abs(guess - truth)
        if not isinstance(label, (str, int, float)) or not isinstance(
            prediction, (str, int, float)
        ):
            return None
        return float(class_name(label) != class_name(prediction))

    def _take(self, error: float, at: float) -> None:
        if self._task != "regression":
            self._test(error, error, at)
            return
        if self._scale is None:
            self._warm_up.append(error)
            if len(self._warm_up) < WARM_UP:
                return
            self._scale = SCALE * sum(self._warm_up) / len(self._warm_up) or 1.0
            return
        self._test(error, min(1.0, error / self._scale), at)

    def _test(self, error: float, value: float, at: float) -> None:
        self._rows += 1
        self._total += error
        self._recent.append(error)
        if not self._detector.update(value):
            return
        since = math.fsum(self._recent) / len(self._recent)
        earlier = self._rows - len(self._recent)
        before = (self._total - math.fsum(self._recent)) / earlier if earlier else since
        self._found = ErrorShift(at, before, since, self._rows) if since > before else None
        self._rows, self._total = 0, 0.0
        self._recent.clear()
