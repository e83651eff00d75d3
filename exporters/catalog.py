"""The one table of metrics: every name, type, label and meaning that Sidelight exports.

The exporter, the rules, the dashboards and docs/metrics.md are derived from it. It knows nothing
of where the numbers come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "sidelight_"
COMMON_LABELS = ("model", "version")  # on every series
CURRENT = "current window"  # wording shared by the helps


class Kind(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """One promised metric: `name` without prefix, `labels` beyond the common ones."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    values: tuple[tuple[str, str], ...] = ()  # a label's possible values, where there are few

    @property
    def full_name(self) -> str:
        """The name as it is scraped.

        >>> metric("queue_bytes").full_name
        'sidelight_queue_bytes'
        """
        return PREFIX + self.name

    @property
    def family(self) -> str:
        """The OpenMetrics family: the full name without `_total` or `_info`.

        >>> metric("requests_total").family, metric("build_info").family
        ('sidelight_requests', 'sidelight_build')
        """
        suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")
        return self.full_name.removesuffix(suffix)


_COLUMN = ("column", "role")
_ROLES = (("role", "feature, prediction, label"),)
_SCORED = ("source", "segment", "class")
_SOURCES = (
    ("source", "realised, reference, estimated"),
    ("segment", "all, COLUMN=VALUE, COLUMN=other"),
    ("class", "only where the metric is per class"),
)
_SEGMENT = (("segment", "all, COLUMN=VALUE, COLUMN=other"),)
_BOUNDED = (("source", "realised, estimated"), *_SEGMENT)
_FEEDBACK = (
    ("outcome", "joined, pending, duplicate, corrected, expired, orphaned, rejected"),
)  # fmt: skip
_OBSERVATIONS = (
    ("outcome", "observed, dropped, skipped, failed"),
    ("reason", "why it was not observed; empty where it was"),
)
_PARTS = (("part", "rules, certificates"),)
_BOUNDS = (("bound",), (("bound", "start, end"),))
_DELIVERIES = (("outcome", "sent, failed, expired, coalesced, unsaved"),)


def _counter(
    name: str,
    help_: str,
    labels: tuple[str, ...] = (),
    values: tuple[tuple[str, str], ...] = (),
) -> Metric:
    return Metric(name, Kind.COUNTER, help_, labels, "", values)


def _gauge(
    name: str,
    help_: str,
    labels: tuple[str, ...] = (),
    values: tuple[tuple[str, str], ...] = (),
) -> Metric:
    unit = next((u for u in ("seconds", "bytes", "ratio") if name.endswith(f"_{u}")), "")
    return Metric(name, Kind.GAUGE, help_, labels, unit, values)


def _histogram(name: str, help_: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, help_, (), "seconds")


def _score(name: str, help_: str) -> Metric:
    return Metric(name, Kind.GAUGE, help_, _SCORED, "", _SOURCES)


METRICS: tuple[Metric, ...] = (
    _counter("requests_total", "Relayed requests, by status code of the answer.", ("code",)),
    _histogram(
        "request_duration_seconds",
        "Time from a request's head to the last byte of its answer, the model's own time included.",
    ),
    _histogram("relay_overhead_seconds", "Time that the relay itself added to a request."),
    _counter(
        "observations_total",
        "Relayed exchanges by what became of them: every one is counted once.",
        ("outcome", "reason"),
        _OBSERVATIONS,
    ),
    _counter("predictions_total", "Rows decoded from observed exchanges."),
    _counter(
        "column_observations_total",
        "Rows by bin of their value; missing, invalid and unseen values have their own.",
        (*_COLUMN, "bin"),
        _ROLES,
    ),
    _gauge(
        "column_reference_ratio",
        "The reference's share of rows in each bin of column_observations_total.",
        (*_COLUMN, "bin"),
        _ROLES,
    ),
    _gauge("column_missing_ratio", f"Share of rows without a value, {CURRENT}.", _COLUMN, _ROLES),
    _gauge("column_mean", f"Mean of the column, {CURRENT}.", _COLUMN, _ROLES),
    _gauge("column_stddev", f"Standard deviation of the column, {CURRENT}.", _COLUMN, _ROLES),
    _gauge(
        "drift_score",
        "Distance of the current window from the reference; absent while rows are insufficient.",
        (*_COLUMN, "method"),
        _ROLES,
    ),
    _gauge(
        "drift_threshold",
        "Score from which on the column counts as drifted; absent while rows are insufficient.",
        (*_COLUMN, "method"),
        _ROLES,
    ),
    _gauge(
        "drift_p_value",
        "Probability of so large a distance without drift; absent while rows are insufficient.",
        _COLUMN,
        _ROLES,
    ),
    _gauge(
        "drift_warning",
        "1 while the column has moved at the false discovery rate (1 during drift too), else 0.",
        _COLUMN,
        _ROLES,
    ),
    _gauge(
        "drift_detected",
        "1 while the column has drifted within the budget of false alerts, else 0.",
        _COLUMN,
        _ROLES,
    ),
    _gauge("window_rows", f"Rows in the {CURRENT}.", ("role",), _ROLES),
    _score("accuracy", "Share of predictions that were right."),
    _score("precision", "True positives over all predicted positives."),
    _score("recall", "True positives over all actual positives."),
    _score("f1", "Harmonic mean of precision and recall."),
    _score("precision_weighted", "Precision averaged over more than two classes by their labels."),
    _score("recall_weighted", "Recall averaged over more than two classes by their labels."),
    _score("f1_weighted", "F1 averaged over more than two classes by their labels."),
    _score("log_loss", "Mean negative log-likelihood of the true class, natural logarithm."),
    _score("brier_score", "Mean squared error of the predicted probability."),
    _score("roc_auc", "Area under the receiver operating characteristic."),
    _score("average_precision", "Mean precision over the recall gained at each threshold."),
    _score("calibration_error", "Expected calibration error, ten bins of equal width."),
    _score("rmse", "Root mean squared error, in the unit of the target."),
    _score("mae", "Mean absolute error, in the unit of the target."),
    _score("mean_error", "Mean of prediction minus label, in the unit of the target."),
    _score("mape", "Mean of |error / label|, a share; absent where a label is 0."),
    _score("r2", "Coefficient of determination."),
    _score("absolute_error_p50", "Median absolute error, in the unit of the target."),
    _score("absolute_error_p90", "90 % of absolute errors are at most this."),
    _score("absolute_error_p95", "95 % of absolute errors are at most this."),
    _score("absolute_error_p99", "99 % of absolute errors are at most this."),
    _gauge(
        "performance_lower_bound",
        "Lower end of a metric's interval: 95 % of realised ones; the band of estimated ones.",
        ("metric", "source", "segment"),
        _BOUNDED,
    ),
    _gauge(
        "performance_upper_bound",
        "Upper end of a metric's interval.",
        ("metric", "source", "segment"),
        _BOUNDED,
    ),
    _gauge(
        "performance_threshold",
        "From where on a metric is SidelightPerformanceDegraded, resolved for the window's labels.",
        ("metric",),
    ),
    _gauge(
        "labelled_ratio",
        "Share of the rows predicted in the window whose labels are in; absent while not known.",
        ("segment",),
        _SEGMENT,
    ),
    _gauge(
        "confusion_rows",
        "Labelled rows of the window by label and prediction; of 20 classes at most.",
        ("label", "prediction"),
    ),
    _gauge(
        "segment_columns_drifted",
        "Columns of a segment that drifted from its own reference; absent while insufficient.",
        ("segment",),
        _SEGMENT,
    ),
    _gauge(
        "error_shift_detected",
        "1 while a sequential test finds that errors have risen, else 0; absent without labels.",
    ),
    _gauge(
        "labels_overdue_rows",
        "Predictions that should have had their labels by now, where that is no chance; else 0.",
    ),
    _counter("labels_total", "Labels joined with their predictions.", ("segment",), _SEGMENT),
    _counter(
        "correct_predictions_total",
        "Joined predictions that equal their label; over labels_total: accuracy.",
        ("segment",),
        _SEGMENT,
    ),
    _counter(
        "absolute_error_total",
        "Sum of |prediction - label|; over labels_total: MAE.",
        ("segment",),
        _SEGMENT,
    ),
    _counter(
        "squared_error_total",
        "Sum of (prediction - label)^2; over labels_total: the square of RMSE.",
        ("segment",),
        _SEGMENT,
    ),
    _counter(
        "feedback_total",
        "Posted labels by what became of them; a pending one counts again once it is not.",
        ("outcome",),
        _FEEDBACK,
    ),
    _histogram("label_delay_seconds", "Time from a prediction to its label."),
    _gauge("alerts_firing", "Alerts that fire now.", ("alert", "severity")),
    _counter(
        "alert_deliveries_total",
        "Alert messages by sink and by what became of them.",
        ("sink", "outcome"),
        _DELIVERIES,
    ),
    _counter(
        "events_total",
        "Logged requests and answers by what became of them; a pair is one exchange.",
        ("outcome", "reason"),
    ),
    _gauge("observing", "1 while relayed exchanges are being observed, else 0."),
    _gauge("queue_bytes", "Bytes that wait between relay and observer."),
    _gauge("observer_lag_seconds", "Age of the newest exchange that the observer has read."),
    _counter("store_errors_total", "Times that the store could not take or give something."),
    _counter("store_dropped_rows_total", "Predicted rows that the store could not keep."),
    _counter("id_conflicts_total", "Predicted rows under an id that was taken: the first stays."),
    _counter("series_dropped_total", "Series left out because the limit on series was reached."),
    _gauge(
        "config_valid",
        "1 while the file's rules, or the certificate files, are in use as they are now, else 0.",
        ("part",),
        _PARTS,
    ),
    _counter(
        "config_reload_failures_total",
        "Reloads that found a fault in the file and kept what was in use.",
        ("part",),
        _PARTS,
    ),
    Metric("build_info", Kind.INFO, "The release that runs.", ("release", "python")),
    Metric("reference_info", Kind.INFO, "The reference in use.", ("digest", "rows")),
    _gauge("reference_data_timestamp_seconds",
           "When the first and the last row of the reference came, where known.", *_BOUNDS),
)  # fmt: skip

_BY_NAME = {metric.name: metric for metric in METRICS}

PERFORMANCE_METRICS = frozenset(metric.name for metric in METRICS if metric.labels == _SCORED)


def metric(name: str) -> Metric:
    """The metric called `name` (without prefix); KeyError on a name that is not promised."""
    return _BY_NAME[name]
