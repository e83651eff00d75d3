"""Whether labels still come: how many predictions should have had theirs by now, and have not.

No clock of its own, no I/O; its state is a small document that outlives the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.records.label import Joined
from monitor.snapshot import LabelsOverdue
from monitor.statistics.magnitudes import Magnitudes

PATIENCE = 2.0  # times the delay that 95 % of labels keep to
SLACK_SECONDS = 600.0
EXPECTED_LABELS = 30.0  # so many must be missing: fewer may be chance
MOST_PANES = 2000
PANE_SECONDS = 60.0
_FORMAT = 1


class LabelWatch:
    """Compares predictions that are old enough with the labels that came of late.

    A prediction is overdue when it was made after the last label came, and longer ago than twice
    the delay that 95 % of labels keep to (or than `delay_seconds`, where that is told). It counts
    by the share of predictions that got labels so far. So a night without traffic makes nothing
    overdue, and labels that come once a week are waited for. While none ever came, they are waited
    for `first_seconds`, or for ever where that is None.
    """

    def __init__(
        self, delay_seconds: float | None = None, first_seconds: float | None = None
    ) -> None:
        self._delay = delay_seconds
        self._first = first_seconds
        self._delays = Magnitudes()
        self._labels = 0
        self._predictions = 0
        self._last: float | None = None
        self._panes: list[list[float]] = []  # start and rows, in order

    def predicted(self, at: float, rows: int) -> None:
        """Count predictions made at a moment."""
        self._predictions += rows
        if self._panes and at < self._panes[-1][0] + PANE_SECONDS:
            self._panes[-1][1] += rows
            return
        self._panes.append([at, float(rows)])
        if len(self._panes) > MOST_PANES:
            self._thin()

    def joined(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels' first arrivals; restored ones were counted before."""
        for one in joined:
            if one.label is None or one.previous is not None or (restored and self._last):
                continue
            self._labels += 1
            self._delays.count(max(0.0, one.label.received_at - one.prediction.at), 1)
            self._last = max(self._last or 0.0, one.label.received_at, one.prediction.at)
        if self._last is not None:
            self._panes = [pane for pane in self._panes if pane[0] + PANE_SECONDS > self._last]

    def overdue(self, now: float) -> LabelsOverdue | None:
        """The predictions whose labels stay away, or None while that may be chance."""
        wait = self._wait()
        if wait is None:
            return None  # nobody has said that there are labels
        rows = sum(int(rows) for start, rows in self._panes if start + PANE_SECONDS <= now - wait)
        share = min(1.0, self._labels / max(self._predictions - rows, 1)) if self._last else 1.0
        if rows * share < EXPECTED_LABELS:
            return None
        return LabelsOverdue(rows, wait, self._last)

    def _wait(self) -> float | None:
        if self._delay is not None:
            return self._delay
        if self._last is None or not self._delays.bins:
            return self._first
        return PATIENCE * self._delays.quantile(0.95) + SLACK_SECONDS

    def _thin(self) -> None:
        """Older panes two by two: they are far in the past, where a minute does not matter."""
        half = len(self._panes) // 2 // 2 * 2
        pairs = zip(self._panes[0:half:2], self._panes[1:half:2], strict=True)
        merged = [[later[0], earlier[1] + later[1]] for earlier, later in pairs]
        self._panes = merged + self._panes[half:]

    def to_document(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        return {
            "format": _FORMAT,
            "last": self._last,
            "labels": self._labels,
            "predictions": self._predictions,
            "delays": [[place, count] for place, count in self._delays.bins.items()],
            "panes": self._panes,
        }

    def restore(self, document: Mapping[str, Any] | None) -> None:
        """Go on from an earlier process's document; ValueError on anything else."""
        if document is None:
            return
        try:
            if document["format"] != _FORMAT:
                raise ValueError(f"label watch of format {document['format']!r}")
            last = document["last"]
            delays = {int(place): int(count) for place, count in document["delays"]}
            panes = [[float(start), float(rows)] for start, rows in document["panes"]]
            labels, predictions = int(document["labels"]), int(document["predictions"])
            self._last = None if last is None else float(last)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a label watch: {error!r}") from None
        self._delays.bins = delays
        self._labels, self._predictions = labels, predictions
        self._panes = panes[-MOST_PANES:]
