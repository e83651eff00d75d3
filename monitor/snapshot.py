"""What leaves the engine: one frozen `Snapshot`, replaced whole, read by exporters and API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Status(StrEnum):
    """What a reading says; too few rows is an answer of its own."""

    OK = "ok"
    WARNING = "warning"
    DRIFT = "drift"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class BinShare:
    """One bin of a column, with its share of rows in the reference and in the current window."""

    bin: str
    reference: float
    current: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One column against its reference, in the current window."""

    column: str
    role: str  # feature | prediction | label
    kind: str  # numeric | categorical | boolean | text | datetime | vector | unknown
    status: Status
    method: str
    rows: int
    score: float | None = None  # None while insufficient
    threshold: float | None = None
    p_value: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)  # every method that applies
    missing_ratio: float | None = None
    mean: float | None = None
    stddev: float | None = None
    reference_mean: float | None = None
    reference_stddev: float | None = None
    reference_missing_ratio: float | None = None
    bins: tuple[BinShare, ...] = ()
    explanation: str = ""  # the bins that moved most, in words
    quality: tuple[str, ...] = ()  # what is wrong with the data itself, in words
    source: str = ""  # the column that a derived one is made of
    importance: float | None = None  # for the prediction; 1 is the most important column's
    rank: int = 0  # 1: look here first
    distinct: int | None = None  # about how many different values; categorical only
    reference_distinct: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """Rows counted since the start, bin by bin, and the reference's share of each bin."""

    column: str
    role: str
    bins: tuple[str, ...]
    observed: tuple[int, ...]
    reference: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """So many rows of this label got this prediction."""

    label: str
    prediction: str
    rows: int


@dataclass(frozen=True, slots=True)
class PerformanceReading:
    """Metrics of predictions whose truth is known; one that these rows do not define is absent."""

    rows: int
    status: Status = Status.INSUFFICIENT
    metrics: Mapping[str, float] = field(default_factory=dict)
    by_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # metric → class
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # 95 %
    labelled_ratio: float | None = None  # of the rows predicted in the window; None: not known
    confusion: tuple[ConfusionCell, ...] = ()

    def only(self, names: tuple[str, ...]) -> PerformanceReading:
        """The same reading with the metrics that are named; all of them, where none is."""
        if not names:
            return self
        metrics = {name: value for name, value in self.metrics.items() if name in names}
        by_class = {name: value for name, value in self.by_class.items() if name in names}
        intervals = {name: value for name, value in self.intervals.items() if name in names}
        return replace(self, metrics=metrics, by_class=by_class, intervals=intervals)


@dataclass(frozen=True, slots=True)
class PerformanceTotals:
    """Sums over every label since the start; ratios of their rates are exact over replicas."""

    labels: int = 0
    correct: int = 0
    absolute_error: float = 0.0
    squared_error: float = 0.0


@dataclass(frozen=True, slots=True)
class SegmentReading:
    """One segment: how right its predictions were, and which of its columns drifted."""

    column: str
    value: str
    rows: int  # predicted in the window
    realised: PerformanceReading = PerformanceReading(0)
    by_prediction_time: PerformanceReading = PerformanceReading(0)
    reference: PerformanceReading | None = None
    totals: PerformanceTotals = PerformanceTotals()
    drift: Status | None = None  # None: its reference is not known
    drifted: tuple[Reading, ...] = ()

    @property
    def name(self) -> str:
        """As it is written in series and alerts."""
        return f"{self.column}={self.value}"


@dataclass(frozen=True, slots=True)
class ErrorShift:
    """The errors of predictions rose, by a sequential test on the labels as they came."""

    at: float  # Unix seconds
    before: float  # mean error (of a class: share of wrong ones) of the earlier labels
    since: float  # of the newest
    rows: int  # labels that both rest on


@dataclass(frozen=True, slots=True)
class LabelsOverdue:
    """Predictions that should have had their labels by now."""

    rows: int
    wait_seconds: float  # how long labels are waited for
    last_at: float | None  # Unix seconds of the last label, None where none ever came


@dataclass(frozen=True, slots=True)
class Performance:
    """Realised performance in the window, beside the reference's own and what was estimated."""

    task: str | None = None
    realised: PerformanceReading = PerformanceReading(0)  # labels that arrived in the window
    by_prediction_time: PerformanceReading = PerformanceReading(0)  # predictions made in the window
    reference: PerformanceReading | None = None
    estimated: PerformanceReading | None = None  # without labels; its intervals are the band
    thresholds: Mapping[str, float] = field(default_factory=dict)
    totals: PerformanceTotals = PerformanceTotals()
    segments: tuple[SegmentReading, ...] = ()
    shift: ErrorShift | None = None
    overdue: LabelsOverdue | None = None
    restoring: bool = False  # labels of the window are still read back after a restart


class AlertState(StrEnum):
    """An alert's life."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is, or was, wrong. Equal labels are the same alert."""

    labels: Mapping[
        str, str
    ]  # alertname, severity, model, version, and column, role where there is one
    annotations: Mapping[str, str]  # summary, description, …
    state: AlertState
    active_since: float  # Unix seconds: when the condition was first seen
    fired_at: float | None = None
    resolved_at: float | None = None

    @property
    def fingerprint(self) -> str:
        """The alert's identity: its labels, in a fixed order."""
        return "\x1f".join(f"{name}\x1e{value}" for name, value in sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class HistogramCounts:
    """A histogram: `counts[i]` values at most `bounds[i]`, the last one beyond every bound."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]  # per bucket, not accumulated; one longer than bounds
    sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Reloads:
    """Files that can change under way: an unusable one is not taken, and the earlier stays."""

    valid: bool = True  # whether what the files say now is in use
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the relay workers counted, added up over workers and their restarts."""

    requests: Mapping[str, int] = field(default_factory=dict)  # status code → requests
    outcomes: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # (outcome, reason) → exchanges
    duration: HistogramCounts = HistogramCounts((), (0,))
    overhead: HistogramCounts = HistogramCounts((), (0,))
    queue_bytes: int = 0
    connections: int = 0
    workers: int = 0  # workers heard of in the last seconds
    certificates: Reloads = Reloads()


@dataclass(frozen=True, slots=True)
class Health:
    """How Sidelight itself is doing."""

    started_at: float = 0.0
    observing: bool = False
    observer_lag_seconds: float = 0.0
    upstream_reachable: bool | None = None
    predictions: int = 0  # rows decoded since the start
    feedback: Mapping[str, int] = field(default_factory=dict)  # outcome → labels
    label_delay: HistogramCounts = HistogramCounts((), (0,))
    deliveries: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # (sink, outcome) → attempts
    store_errors: int = 0
    store_rows: int = 0
    labels_waiting: int = 0  # parked: their predictions have not been seen
    series_dropped: int = 0
    traffic: Traffic = Traffic()
    reloads: Reloads = Reloads()
    events: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # (outcome, reason) → events
    id_conflicts: int = 0  # predictions under an id and row that were taken: the first stays
    store_dropped_rows: int = 0  # predictions that the store could not take


@dataclass(frozen=True, slots=True)
class ReferenceInfo:
    """The reference in use; while it is still being gathered, `rows` of `rows_needed`."""

    state: str = "learning"  # learning | ready
    digest: str = ""
    rows: int = 0
    rows_needed: int = 0
    span: tuple[float, float] | None = None  # Unix seconds of its first and last row, where known


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything Sidelight knows at one moment."""

    model: str
    version: str
    evaluated_at: float
    window_start: float
    window_end: float
    window_rows: int
    reference: ReferenceInfo = ReferenceInfo()
    readings: tuple[Reading, ...] = ()
    counts: tuple[ColumnCounts, ...] = ()
    performance: Performance = Performance()
    alerts: tuple[Alert, ...] = ()
    health: Health = Health()
