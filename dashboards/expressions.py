"""PromQL over the catalog's metrics, right over replicas: counts are added, then scores computed.

A metric that the catalog does not promise cannot be named here. Knows nothing of files.
"""

from __future__ import annotations

from exporters.catalog import COMMON_LABELS, metric

MODEL = ", ".join(COMMON_LABELS)
COLUMN = f"{MODEL}, column, role"
BIN = f"{COLUMN}, bin"
SMALLEST_SHARE = "1e-4"  # a share of zero would make PSI infinite
_NOT_ZERO = "1e-300"  # under a logarithm that a share of zero multiplies anyway
MISSING_BIN = 'bin="missing"'
LIVE = "model_column_bin:sidelight_live_ratio:increase1h"
REFERENCE = "model_column_bin:sidelight_reference_ratio:max"
ROWS = "model_column:sidelight_rows:increase1h"
PSI = "model_column:sidelight_psi:increase1h"
JS_DISTANCE = "model_column:sidelight_js_distance:increase1h"
MISSING = "model_column:sidelight_missing_ratio:increase1h"
ACCURACY = "model:sidelight_accuracy:increase1h"
MAE = "model:sidelight_mae:increase1h"
RMSE = "model:sidelight_rmse:increase1h"


def series(name: str, matchers: str = "") -> str:
    """A selector of a promised metric; KeyError on any other name.

    >>> series("observing")
    'sidelight_observing'
    """
    selector = f"{{{matchers}}}" if matchers else ""
    return metric(name).full_name + selector


def increase(name: str, over: str, by: str = MODEL, matchers: str = "") -> str:
    """The increase of a counter, added up over replicas.

    >>> increase("labels_total", "1h", "model")
    'sum by (model) (increase(sidelight_labels_total[1h]))'
    """
    return f"sum by ({by}) (increase({series(name, matchers)}[{over}]))"


def live_share(over: str, matchers: str = "") -> str:
    """Each bin's share of the rows of the last `over`, all replicas together."""
    rows = increase("column_observations_total", over, COLUMN, matchers)
    bins = increase("column_observations_total", over, BIN, matchers)
    return f"{bins} / on ({COLUMN}) group_left () ({rows} > 0)"


def reference_share(matchers: str = "") -> str:
    """Each bin's share of the reference's rows; every replica says the same.

    >>> reference_share('column="x"')
    'max by (model, version, column, role, bin) (sidelight_column_reference_ratio{column="x"})'
    """
    return f"max by ({BIN}) ({series('column_reference_ratio', matchers)})"


def psi(live: str, reference: str) -> str:
    """PSI of two expressions of shares by bin.

    >>> psi("p", "q")
    'sum by (model, version, column, role) ((clamp_min(p, 1e-4) - clamp_min(q, 1e-4)) * ln(clamp_min(p, 1e-4) / clamp_min(q, 1e-4)))'
    """  # noqa: E501 - one expression
    p, q = (f"clamp_min({share}, {SMALLEST_SHARE})" for share in (live, reference))
    return f"sum by ({COLUMN}) (({p} - {q}) * ln({p} / {q}))"


def js_distance(live: str, reference: str) -> str:
    """Jensen-Shannon distance, natural logarithm, of two expressions of shares by bin.

    A column with the reference's very shares can come out as -1e-17 before the root, hence the
    clamp.
    """
    mean = f"(({live} + {reference}) / 2)"
    sums = (
        f"{share} * ln(clamp_min({share}, {_NOT_ZERO}) / clamp_min({mean}, {_NOT_ZERO}))"
        for share in (live, reference)
    )
    return f"sqrt(clamp_min(sum by ({COLUMN}) ({' + '.join(sums)}) / 2, 0))"


def recorded(over: str) -> dict[str, str]:
    """Record name → expression over the last `over`; what others need comes before them."""
    labels = f"({increase('labels_total', over)} > 0)"
    return {
        ROWS: increase("column_observations_total", over, COLUMN),
        LIVE: live_share(over),
        REFERENCE: reference_share(),
        PSI: psi(LIVE, REFERENCE),
        JS_DISTANCE: js_distance(LIVE, REFERENCE),
        MISSING: increase("column_observations_total", over, COLUMN, MISSING_BIN)
        + f" / ({ROWS} > 0)",
        ACCURACY: f"{increase('correct_predictions_total', over)} / {labels}",
        MAE: f"{increase('absolute_error_total', over)} / {labels}",
        RMSE: f"sqrt({increase('squared_error_total', over)} / {labels})",
    }
