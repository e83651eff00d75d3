"""The overview: does traffic flow, what has drifted, how good is the model, who was told."""

from __future__ import annotations

from dashboards import addresses
from dashboards.boards.facts import Board, Kind, Panel, Query, Reach, Row, Step
from dashboards.boards.selection import (
    ANNOTATION,
    OVER,
    REPLICA,
    VARIABLES,
    chosen,
    columns,
    grown,
    matchers,
    or_none,
    quantile,
    rate,
    scores,
    share,
)
from dashboards.expressions import (
    COLUMN,
    MISSING_BIN,
    MODEL,
    live_share,
    psi,
    reference_share,
)
from exporters.catalog import PERFORMANCE_METRICS

_SIDECARS = f"count({chosen('observing')})"
_COLUMNS = 'column=~"$column"'
_SCORE = f"max by ({REPLICA}, column, role, method) ({chosen('drift_score', _COLUMNS)})"
_THRESHOLD = f"max by ({REPLICA}, column, role, method) ({chosen('drift_threshold', _COLUMNS)})"
_OVER_THRESHOLD = f"max by ({COLUMN}) ({_SCORE} / ({_THRESHOLD} > 0))"
_DRIFTED = f"max by ({COLUMN}) ({chosen('drift_detected', _COLUMNS)})"
_PSI = psi(live_share(OVER, matchers(_COLUMNS)), reference_share(matchers(_COLUMNS)))
_MISSING = share(
    grown("column_observations_total", _COLUMNS, MISSING_BIN, by=COLUMN),
    grown("column_observations_total", _COLUMNS, by=COLUMN),
)
_EVERY_ROW = ('segment="all"', 'class=""')
_METRICS = tuple(sorted(PERFORMANCE_METRICS))

TRAFFIC = Row(
    "Traffic",
    (
        Panel(
            "Requests",
            "Requests relayed per second, all replicas together.",
            "reqps",
            (Query(rate("requests_total"), "requests"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "Server errors",
            "Share of answers with a 5xx code, the model's own and the relay's 502 alike.",
            "percentunit",
            (
                Query(
                    share(
                        or_none(rate("requests_total", 'code=~"5.."'), _SIDECARS),
                        rate("requests_total"),
                    ),
                    "5xx",
                ),
            ),
            Kind.NUMBER, 4, 4, (Step(None, "green"), Step(0.01, "red")),
        ),
        Panel(
            "Predictions",
            "Rows decoded per second; a request may hold many.",
            "rowsps",
            (Query(rate("predictions_total"), "rows"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "Columns that drifted",
            "Columns that drift within the budget of false alerts, on any replica.",
            "none",
            (Query(f"sum({_DRIFTED})", "columns"),),
            Kind.NUMBER, 4, 4, (Step(None, "green"), Step(1, "red")),
        ),
        Panel(
            "Alerts that fire",
            "As the sidecars themselves say; Prometheus' own alerts are marked in time.",
            "none",
            (
                Query(
                    or_none(
                        f"sum(max by ({MODEL}, alert, severity) ({chosen('alerts_firing')}))",
                        _SIDECARS,
                    ),
                    "alerts",
                ),
            ),
            Kind.NUMBER, 4, 4, (Step(None, "green"), Step(1, "red")),
        ),
        Panel(
            "Sidecars that observe",
            "Traffic flows through one that does not, but nothing of it is looked at.",
            "percentunit",
            (Query(f"sum({chosen('observing')}) / {_SIDECARS}", "observing"),),
            Kind.NUMBER, 4, 4, (Step(None, "red"), Step(1, "green")), 1,
        ),
        Panel(
            "Requests by code",
            "Answers per second by status code.",
            "reqps",
            (Query(rate("requests_total", by="code"), "{{code}}"),),
            Kind.STACK,
        ),
        Panel(
            "Latency",
            "From a request's head to the last byte of its answer, the model's own time included.",
            "s",
            tuple(
                Query(quantile(at, "request_duration_seconds"), name)
                for at, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
            ),
        ),
    ),
)  # fmt: skip

DRIFT = Row(
    "Drift",
    (
        Panel(
            "Columns, the worst first",
            "Score over threshold is the worst replica's, from 1 on it counts as drift if it is "
            "also surprising enough; PSI and missing are of all replicas together, over an hour.",
            "none",
            (
                Query(_OVER_THRESHOLD, "score over threshold"),
                Query(_DRIFTED, "drifted"),
                Query(_PSI, "PSI"),
                Query(_MISSING, "missing"),
            ),
            Kind.TABLE, 12, 10,
            units=(("missing", "percentunit"),),
            link=addresses.COLUMNS,
            sorted_by="score over threshold",
        ),
        Panel(
            "Score over threshold",
            "The ten worst columns; 1 is the threshold.",
            "none",
            (Query(f"topk(10, {_OVER_THRESHOLD})", "{{model}} {{column}} ({{role}})"),),
            Kind.LINES, 12, 10, (Step(None, "green"), Step(1, "red")),
        ),
    ),
)  # fmt: skip

PERFORMANCE = Row(
    "Performance and alerts",
    (
        Panel(
            "Performance against reference",
            "Realised: on the rows of the window whose label is known, replica by replica. What "
            "a metric of all replicas together is, the Performance dashboard says.",
            "none",
            tuple(
                Query(scores(_METRICS, f'source="{source}"', *_EVERY_ROW), source)
                for source in ("realised", "reference")
            ),
            Kind.TABLE, 12, 8, hidden=("job",),
        ),
        Panel(
            "Alerts by name",
            "Alerts that fire, as the sidecars themselves say.",
            "none",
            (
                Query(
                    or_none(
                        f"max by ({MODEL}, alert, severity) ({chosen('alerts_firing')})", _SIDECARS
                    ),
                    "{{model}} {{alert}} ({{severity}})",
                ),
            ),
        ),
    ),
)  # fmt: skip

BOARD = Board(
    addresses.OVERVIEW,
    "Sidelight / Overview",
    "Every model that a sidecar stands before: traffic, drift, performance, alerts.",
    (*VARIABLES, columns(Reach.MANY)),
    (TRAFFIC, DRIFT, PERFORMANCE),
    ANNOTATION,
)
