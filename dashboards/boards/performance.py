"""How right the model is: realised, estimated, reference; by metric, segment and version."""

from __future__ import annotations

from dashboards import addresses
from dashboards.boards.facts import Board, Kind, Panel, Query, Row
from dashboards.boards.selection import (
    ANNOTATION,
    VARIABLES,
    chosen,
    grown,
    quantile,
    rate,
    share,
)
from dashboards.expressions import MODEL

_ALL = 'segment="all"'
_WHOLE = 'class=""'  # not one class alone
_LABELS = grown("labels_total", _ALL, by=MODEL)
_NAME = "{{model}} {{version}}"
_TARGETS_UNIT = "In the unit of the target."


def _fleet(counter: str) -> str:
    return share(grown(counter, _ALL, by=MODEL), _LABELS)


def _reference(name: str) -> str:
    """The reference's value: every replica says the same."""
    matchers = ('source="reference"', _ALL, _WHOLE)
    return f"max by ({MODEL}) ({chosen(name, *matchers)})"


def _together(name: str, title: str, expression: str, unit: str = "none") -> Panel:
    return Panel(
        f"{title}, all replicas",
        "Labels of the last hour, all replicas together, against the reference.",
        unit,
        (
            Query(expression, f"{_NAME} realised"),
            Query(_reference(name), f"{_NAME} reference"),
        ),
        Kind.LINES,
        8,
    )


def _by_source(title: str, description: str, *names: str, unit: str = "none") -> Panel:
    """Some metrics of each replica's window, from all sources that there are."""
    queries = tuple(
        Query(
            f"max by (model, version, instance, source) ({chosen(name, _ALL, _WHOLE)})",
            f"{name} {{{{source}}}} {{{{instance}}}}"
            if len(names) > 1
            else "{{source}} {{instance}}",
        )
        for name in names
    )
    return Panel(title, description, unit, queries, Kind.LINES, 8)


def _by_label(title: str, label: str, name: str, unit: str = "none") -> Panel:
    matchers = ('source="realised"', _WHOLE)
    return Panel(
        title,
        f"Realised {name} of each replica's window, by {label}.",
        unit,
        (
            Query(
                f"max by (model, instance, {label}) ({chosen(name, *matchers)})",
                f"{{{{model}}}} {{{{{label}}}}} {{{{instance}}}}",
            ),
        ),
        Kind.LINES,
        6,
    )


TOGETHER = Row(
    "All replicas together",
    (
        _together("rmse", "RMSE", f"sqrt({_fleet('squared_error_total')})"),
        _together("mae", "MAE", _fleet("absolute_error_total")),
        _together("accuracy", "Accuracy", _fleet("correct_predictions_total"), "percentunit"),
    ),
)

REGRESSION = Row(
    "Regression: each replica's window",
    (
        _by_source("RMSE and MAE", _TARGETS_UNIT, "rmse", "mae"),
        _by_source("Mean error", f"Prediction minus label: a bias. {_TARGETS_UNIT}", "mean_error"),
        _by_source("R²", "1 is perfect, 0 no better than the labels' mean.", "r2"),
    ),
)

CLASSIFICATION = Row(
    "Classification: each replica's window",
    (
        _by_source("Accuracy", "Share that was right.", "accuracy", unit="percentunit"),
        _by_source(
            "Precision, recall, F1",
            "Averaged over classes where there are more than two; each class on its own is in "
            "the same metrics, under the label `class`.",
            "precision", "recall", "f1", unit="percentunit",
        ),
        _by_source(
            "Of the probabilities",
            "Log loss and Brier score are better when lower, the area under the curve when higher.",
            "log_loss", "brier_score", "roc_auc",
        ),
    ),
)  # fmt: skip


def _uncertain(title: str, name: str, unit: str = "none") -> Panel:
    """A metric with how far chance may have moved it, and what was expected before labels."""
    named, who = f'metric="{name}"', "{{model}} {{instance}}"

    def each(metric: str, *more: str) -> str:
        return f"max by (model, version, instance) ({chosen(metric, _ALL, *more)})"

    queries = [
        Query(each(name, f'source="{source}"', _WHOLE), f"{source} {who}")
        for source in ("realised", "estimated")
    ]
    queries += [
        Query(each(f"performance_{end}_bound", f'source="{source}"', named), f"{words} {who}")
        for source, words in (("realised", "95 %"), ("estimated", "band"))
        for end in ("lower", "upper")
    ]
    return Panel(
        f"{title}: realised, estimated",
        "Realised with its 95 % interval; estimated from the model's own answers, with the band "
        "that realised values keep to where the estimate holds. The estimate sees a change of what "
        "comes in, and is blind to concept drift.",
        unit,
        tuple(queries),
        Kind.LINES,
        8,
    )


CERTAINTY = Row(
    "How certain, and what to expect before labels come: each replica's window",
    (
        _uncertain("MAE", "mae"),
        _uncertain("Accuracy", "accuracy", "percentunit"),
        _uncertain("Area under the ROC curve", "roc_auc", "percentunit"),
    ),
)

PARTS = Row(
    "By segment and version",
    (
        _by_label("RMSE by segment", "segment", "rmse"),
        _by_label("Accuracy by segment", "segment", "accuracy", "percentunit"),
        _by_label("RMSE by version", "version", "rmse"),
        _by_label("Accuracy by version", "version", "accuracy", "percentunit"),
        Panel(
            "Columns drifted by segment",
            "Columns that are not like the segment's own rows in the reference, though the whole "
            "may be.",
            "none",
            (
                Query(
                    f"max by (model, instance, segment) ({chosen('segment_columns_drifted')})",
                    "{{model}} {{segment}} {{instance}}",
                ),
            ),
            Kind.LINES,
            12,
        ),
        Panel(
            "Errors have risen",
            "1 while a sequential test on the labels, in the order they came, finds that the "
            "model's errors are larger than they were: concept drift, where no input moved.",
            "none",
            (
                Query(
                    f"max by (model, version, instance) ({chosen('error_shift_detected')})",
                    "{{model}} {{version}} {{instance}}",
                ),
            ),
            Kind.LINES,
            12,
        ),
    ),
)

LABELS = Row(
    "Labels",
    (
        Panel(
            "Labelled share",
            "Labels joined over rows predicted, both of the last hour. Late labels belong to "
            "earlier predictions, so it passes 1 when a backlog arrives.",
            "percentunit",
            (
                Query(share(_LABELS, grown("predictions_total", by=MODEL)), _NAME),
            ),
            Kind.LINES, 8,
        ),
        Panel(
            "Labelled so far",
            "Share of the rows predicted in each replica's window whose labels are in: how "
            "complete the figures by prediction time are.",
            "percentunit",
            (
                Query(
                    f"max by (model, version, instance, segment) ({chosen('labelled_ratio')})",
                    "{{model}} {{segment}} {{instance}}",
                ),
            ),
            Kind.LINES, 8,
        ),
        Panel(
            "Labels overdue",
            "Predictions that should have had their labels by now, by the delay that labels have "
            "kept to.",
            "none",
            (
                Query(
                    f"max by (model, version, instance) ({chosen('labels_overdue_rows')})",
                    "{{model}} {{version}} {{instance}}",
                ),
            ),
            Kind.LINES, 8,
        ),
        Panel(
            "Label delay",
            "Time from a prediction to its label.",
            "s",
            tuple(
                Query(quantile(at, "label_delay_seconds"), name)
                for at, name in ((0.5, "median"), (0.95, "95 %"))
            ),
            Kind.LINES, 12,
        ),
        Panel(
            "Feedback by outcome",
            "Posted labels per second: pending ones wait for their prediction, orphaned ones were "
            "never claimed, rejected ones are ill-formed.",
            "cps",
            (Query(rate("feedback_total", by="outcome"), "{{outcome}}"),),
            Kind.STACK, 12,
        ),
    ),
)  # fmt: skip

BOARD = Board(
    addresses.PERFORMANCE,
    "Sidelight / Performance",
    "How right the predictions were, once the truth is known, against the reference.",
    VARIABLES,
    (TOGETHER, REGRESSION, CLASSIFICATION, CERTAINTY, PARTS, LABELS),
    ANNOTATION,
)
