"""One column: its distribution against the reference's, and what its scores have done since."""

from __future__ import annotations

from dashboards import addresses
from dashboards.boards.facts import Board, Kind, Panel, Query, Reach, Row, Step, Variable
from dashboards.boards.selection import (
    ANNOTATION,
    OVER,
    VARIABLES,
    chosen,
    columns,
    grown,
    matchers,
    rate,
    share,
)
from dashboards.expressions import (
    MISSING_BIN,
    js_distance,
    live_share,
    psi,
    reference_share,
    series,
)

_THIS = ('column="$column"', 'role="$role"')
_OBSERVED = "column_observations_total"
_LIVE, _REFERENCE = live_share(OVER, matchers(*_THIS)), reference_share(matchers(*_THIS))
_ROLE = Variable(
    "role", "Role", series("column_reference_ratio", matchers('column="$column"')), Reach.ONE
)

NOW = Row(
    "Now",
    (
        Panel(
            "State",
            "1 while the column drifts within the budget of false alerts, on any replica.",
            "none",
            (Query(f"max({chosen('drift_detected', *_THIS)})", "drift"),),
            Kind.NUMBER, 4, 4, (Step(None, "green"), Step(1, "red")), 1,
        ),
        Panel(
            "Surprise",
            "Probability of so large a distance without drift; the smallest over replicas.",
            "sci",
            (Query(f"min({chosen('drift_p_value', *_THIS)})", "p-value"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "Rows in the window",
            "Rows that the sidecars' current windows hold, all replicas together.",
            "short",
            (Query(f"sum({chosen('window_rows', _THIS[1])})", "rows"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "Missing",
            "Share of rows without a value, all replicas together, over the last hour.",
            "percentunit",
            (Query(share(grown(_OBSERVED, *_THIS, MISSING_BIN), grown(_OBSERVED, *_THIS)), "now"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "Missing in the reference",
            "Share of the reference's rows without a value.",
            "percentunit",
            (Query(f"max({chosen('column_reference_ratio', *_THIS, MISSING_BIN)})", "reference"),),
            Kind.NUMBER, 4, 4,
        ),
        Panel(
            "PSI",
            "All replicas together, over the last hour: below 0.1 is little, 0.2 and more is much.",
            "none",
            (Query(psi(_LIVE, _REFERENCE), "PSI"),),
            Kind.NUMBER, 4, 4, (Step(None, "green"), Step(0.1, "orange"), Step(0.2, "red")),
        ),
        Panel(
            "Current against reference",
            "Each bin's share of the rows of the last hour, all replicas together, beside its "
            "share of the reference. Missing, invalid and unseen values have bins of their own.",
            "percentunit",
            (
                Query(f"sum by (bin) ({_LIVE})", "current"),
                Query(f"max by (bin) ({_REFERENCE})", "reference"),
            ),
            Kind.BARS, 24, 10, joined_by="bin",
        ),
    ),
)  # fmt: skip

SINCE = Row(
    "Over time",
    (
        Panel(
            "Score against threshold",
            "As each sidecar computes it over its own window, by method; drift begins at the "
            "threshold of the same method.",
            "none",
            (
                Query(
                    f"max by (instance, method) ({chosen('drift_score', *_THIS)})",
                    "{{method}} {{instance}}",
                ),
                Query(
                    f"max by (instance, method) ({chosen('drift_threshold', *_THIS)})",
                    "threshold of {{method}} {{instance}}",
                ),
            ),
        ),
        Panel(
            "All replicas together",
            "Counts of all replicas added up over an hour, then scored: the number to trust where "
            "one replica sees little.",
            "none",
            (
                Query(psi(_LIVE, _REFERENCE), "PSI"),
                Query(js_distance(_LIVE, _REFERENCE), "JS distance"),
            ),
        ),
        Panel(
            "Shares of bins",
            "Rows by bin, as a share of all rows.",
            "percentunit",
            (
                Query(
                    f"{rate(_OBSERVED, *_THIS, by='bin')} / on () group_left () "
                    f"({rate(_OBSERVED, *_THIS)} > 0)",
                    "{{bin}}",
                ),
            ),
            Kind.STACK, maximum=1,
        ),
        Panel(
            "Missing over time",
            "Share of rows without a value, replica by replica, each over its own window.",
            "percentunit",
            (Query(chosen("column_missing_ratio", *_THIS), "{{instance}}"),),
        ),
        Panel(
            "Mean over time",
            "Mean of each replica's window; absent for categories.",
            "none",
            (Query(chosen("column_mean", *_THIS), "{{instance}}"),),
        ),
        Panel(
            "Standard deviation",
            "Of each replica's window; absent for categories.",
            "none",
            (Query(chosen("column_stddev", *_THIS), "{{instance}}"),),
        ),
    ),
)  # fmt: skip

BOARD = Board(
    addresses.COLUMNS,
    "Sidelight / Columns",
    "One column: current against reference, bin by bin, and its scores over time.",
    (*VARIABLES, columns(Reach.ONE), _ROLE),
    (NOW, SINCE),
    ANNOTATION,
)
