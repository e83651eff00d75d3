"""PromQL over the catalog's metrics, right over replicas: counts are added, then scores computed.

A metric that the catalog does not promise cannot be named here. Knows nothing of files.
"""

from __future__ import annotations

from exporters.catalog import COMMON_LABELS, metric

MODEL = ", ".join(COMMON_LABELS)
COLUMN = f"{MODEL}, column, role"
BIN = f"{COLUMN}, bin"
SMALLEST_SHARE = "1e-4"  # a share of zero would make PSI infinite
MISSING_BIN = 'bin="missing"'
LIVE = "model_column_bin:sidelight_live_ratio:increase1h"
REFERENCE = "model_column_bin:sidelight_reference_ratio:max"
ROWS = "model_column:sidelight_rows:increase1h"
PSI = "model_column:sidelight_psi:increase1h"
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


def recorded(over: str) -> dict[str, str]:
    """Record name → expression over the last `over`; what others need comes before them."""
    observed = "column_observations_total"
    labels = f"({increase('labels_total', over)} > 0)"
    return {
        ROWS: increase(observed, over, COLUMN),
        LIVE: (
            f"clamp_min({increase(observed, over, BIN)} "
            f"/ on ({COLUMN}) group_left () ({ROWS} > 0), {SMALLEST_SHARE})"
        ),
        REFERENCE: (
            f"clamp_min(max by ({BIN}) ({series('column_reference_ratio')}), {SMALLEST_SHARE})"
        ),
        PSI: f"sum by ({COLUMN}) (({LIVE} - {REFERENCE}) * ln({LIVE} / {REFERENCE}))",
        MISSING: increase(observed, over, COLUMN, MISSING_BIN) + f" / ({ROWS} > 0)",
        ACCURACY: f"{increase('correct_predictions_total', over)} / {labels}",
        MAE: f"{increase('absolute_error_total', over)} / {labels}",
        RMSE: f"sqrt({increase('squared_error_total', over)} / {labels})",
    }
