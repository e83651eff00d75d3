"""Which way a metric gets worse. Knows nothing of thresholds' origin."""

from __future__ import annotations

_HIGHER_IS_BETTER = frozenset(
    {
        "accuracy",
        "precision",
        "precision_weighted",
        "recall",
        "recall_weighted",
        "f1",
        "f1_weighted",
        "roc_auc",
        "average_precision",
        "r2",
    }
)


def falls(metric: str) -> bool:
    """Whether a lower value is a worse one.

    >>> falls("accuracy"), falls("rmse")
    (True, False)
    """
    return metric in _HIGHER_IS_BETTER


def beyond(metric: str, value: float, threshold: float) -> bool:
    """Whether the value is worse than the threshold; a mean error is bad on either side.

    >>> beyond("roc_auc", 0.7, 0.8), beyond("mae", 0.7, 0.8), beyond("mean_error", -2.0, 1.0)
    (True, False, True)
    """
    if falls(metric):
        return value < threshold
    return (abs(value) if metric == "mean_error" else value) > threshold
