"""The sidecars themselves: do they answer, observe, keep up, and get their alerts delivered."""

from __future__ import annotations

from dashboards import addresses
from dashboards.boards.facts import Board, Kind, Panel, Query, Row, Step
from dashboards.boards.selection import (
    ANNOTATION,
    PLACE,
    REPLICA,
    VARIABLES,
    chosen,
    quantile,
    rate,
    share,
)

_GREEN_AT_ONE = (Step(None, "red"), Step(1, "green"))


def _each(name: str, title: str, description: str, unit: str, width: int = 8) -> Panel:
    """A gauge, replica by replica."""
    return Panel(title, description, unit, (Query(chosen(name), "{{instance}}"),), width=width)


NOW = Row(
    "Now",
    (
        Panel(
            "Answer scrapes",
            "Share of the sidecars whose control port Prometheus reaches.",
            "percentunit",
            (Query(f"avg(up{{{PLACE}}})", "up"),),
            Kind.NUMBER, 6, 4, _GREEN_AT_ONE, 1,
        ),
        Panel(
            "Observe",
            "Share of the sidecars that look at their traffic.",
            "percentunit",
            (Query(f"avg({chosen('observing')})", "observing"),),
            Kind.NUMBER, 6, 4, _GREEN_AT_ONE, 1,
        ),
        Panel(
            "Observed share",
            "Exchanges that were observed, of all that were relayed. What is skipped was meant to "
            "be; what is dropped or failed was not.",
            "percentunit",
            (
                Query(
                    share(
                        rate("observations_total", 'outcome="observed"'), rate("observations_total")
                    ),
                    "observed",
                ),
            ),
            Kind.NUMBER, 6, 4, maximum=1,
        ),
        Panel(
            "Series left out",
            "Series that the limit cut off, ever: raise limits.series, or lower limits.categories.",
            "none",
            (Query(f"max({chosen('series_dropped_total')})", "series"),),
            Kind.NUMBER, 6, 4, (Step(None, "green"), Step(1, "orange")),
        ),
        Panel(
            "Releases",
            "Which release and Python each sidecar runs.",
            "none",
            (Query(f"max by ({REPLICA}, release, python) ({chosen('build_info')})", "info"),),
            Kind.TABLE, 12, 6, hidden=("info",),
        ),
        Panel(
            "References",
            "Which reference each sidecar compares with; replicas of one model should agree.",
            "none",
            (Query(f"max by ({REPLICA}, digest, rows) ({chosen('reference_info')})", "info"),),
            Kind.TABLE, 12, 6, hidden=("info",),
        ),
    ),
)  # fmt: skip

OBSERVING = Row(
    "Observing",
    (
        Panel(
            "Exchanges by outcome",
            "Every relayed exchange has exactly one outcome, with its reason where it was not "
            "observed.",
            "reqps",
            (Query(rate("observations_total", by="outcome, reason"), "{{outcome}} {{reason}}"),),
            Kind.STACK, 8,
        ),
        _each("queue_bytes", "Queue", "Bytes between relay and observer, bounded by "
              "limits.queue_bytes: at the bound, exchanges are dropped.", "bytes"),
        _each("observer_lag_seconds", "Lag", "Age of the newest exchange that the observer has "
              "read.", "s"),
        Panel(
            "Time that the relay adds",
            "Without the model's own time.",
            "s",
            tuple(
                Query(quantile(at, "relay_overhead_seconds"), name)
                for at, name in ((0.5, "median"), (0.99, "99 %"))
            ),
            width=8,
        ),
        Panel(
            "Rows in the window",
            "By role: labels are those of the window's predictions.",
            "short",
            (Query(chosen("window_rows"), "{{role}} {{instance}}"),),
            width=8,
        ),
        Panel(
            "Rows decoded",
            "Rows per second, replica by replica.",
            "rowsps",
            (Query(rate("predictions_total", by="instance"), "{{instance}}"),),
            width=8,
        ),
    ),
)  # fmt: skip

KEEPING = Row(
    "Keeping and telling",
    (
        Panel(
            "Store errors",
            "Times per second that the store could not take or give something.",
            "cps",
            (Query(rate("store_errors_total", by="instance"), "{{instance}}"),),
        ),
        Panel(
            "Alert messages",
            "By sink and outcome, per second. Failed attempts are tried again; nothing is lost "
            "while a receiver is away.",
            "cps",
            (Query(rate("alert_deliveries_total", by="sink, outcome"), "{{sink}} {{outcome}}"),),
        ),
    ),
)

BOARD = Board(
    addresses.HEALTH,
    "Sidelight / Sidecar health",
    "The sidecars themselves: scraped, observing, keeping up, delivering.",
    VARIABLES,
    (NOW, OBSERVING, KEEPING),
    ANNOTATION,
)
