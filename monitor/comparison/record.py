"""What is kept of a replay: each alert's life, and scores over time for a picture; bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.engine import Evaluation
from monitor.snapshot import Alert, AlertState

MOST_POINTS = 1500  # of each column
MOST_COLUMNS = 200
MOST_ALERTS = 10_000


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert that fired."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]  # when it began to fire
    active_since: float
    fired_at: float
    resolved_at: float | None = None  # None: it still fired when the log ended

    @property
    def what(self) -> str:
        """The column, the metric, or nothing more than the alert's name."""
        return self.labels.get("column") or self.labels.get("metric") or ""


class Record:
    """Takes in one look after the other."""

    def __init__(self, expected: int) -> None:
        self.looks = 0
        self.insufficient = 0
        self.at: list[float] = []  # of the looks that are kept, one in `every`
        self.scores: dict[tuple[str, str], list[float | None]] = {}
        self.thresholds: dict[tuple[str, str], float] = {}
        self.metrics: dict[str, list[float | None]] = {}
        self._every = max(1, -(-expected // MOST_POINTS))
        self._open: dict[str, Raised] = {}
        self._closed: list[Raised] = []

    def take(self, end: float, found: Evaluation, min_rows: int) -> None:
        """A look at the end of a pane."""
        for alert in found.transitions:
            self._turn(alert, end)
        if found.snapshot.window_rows < min_rows:
            self.insufficient += 1
        if self.looks % self._every == 0:
            self._keep(end, found)
        self.looks += 1

    def raised(self) -> tuple[Raised, ...]:
        """Every alert that fired, in the order of firing."""
        every = [*self._closed, *self._open.values()]
        return tuple(sorted(every, key=lambda one: (one.fired_at, one.what)))

    def _turn(self, alert: Alert, end: float) -> None:
        if alert.state is AlertState.FIRING:
            self._open[alert.fingerprint] = Raised(
                dict(alert.labels), dict(alert.annotations), alert.active_since, end
            )
        elif alert.state is AlertState.RESOLVED and alert.fingerprint in self._open:
            ended = replace(self._open.pop(alert.fingerprint), resolved_at=end)
            if len(self._closed) < MOST_ALERTS:
                self._closed.append(ended)

    def _keep(self, end: float, found: Evaluation) -> None:
        self.at.append(end)
        points = len(self.at)
        for reading in found.snapshot.readings[:MOST_COLUMNS]:
            key = reading.column, reading.role
            _put(self.scores.setdefault(key, []), points, reading.score)
            if reading.threshold is not None:
                self.thresholds[key] = reading.threshold
        realised = found.snapshot.performance.realised
        for name, value in realised.metrics.items():
            known = value if realised.rows >= 1 else None
            _put(self.metrics.setdefault(name, []), points, known)


def _put(series: list[float | None], points: int, value: float | None) -> None:
    """Appends, after as many gaps as were left out."""
    series.extend([None] * (points - 1 - len(series)))
    series.append(value)
