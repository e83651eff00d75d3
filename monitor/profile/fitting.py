"""Fits what estimates performance without labels; the one place that imports scikit-learn, and only
when an estimate is asked for.

Gives plain numbers: nothing of scikit-learn is kept.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import SidelightError
from monitor.statistics.estimation.calibration import Calibration, equal_count_error
from monitor.statistics.estimation.forest import Forest

Floats = NDArray[np.float64]

MISSING = "an estimate needs scikit-learn: pip install 'sidelight[estimate]'"
SPLITS = 10
HELD_OUT = 0.1
TREES = 100
LEAVES = 31
DEPTH = 7
LEAST_LEAF_ROWS = 40
LEARNING_RATE = 0.08
SEED = 0
_LARGEST = float(np.finfo(np.float64).max)


def fit_calibration(scores: Floats, of_class: NDArray[np.bool_]) -> Calibration | None:
    """Isotonic thresholds from `scores[rows]` to the share of rows `of_class[rows]`; None where the
    scores are as good by themselves.

    Whether they help is judged on rows that did not fit them: by the expected calibration error
    over ten bins of equally many rows, on average over repeated stratified splits.
    """
    selection = _scikit_learn("model_selection")
    if min(np.count_nonzero(of_class), np.count_nonzero(~of_class)) < SPLITS:
        return None
    splits = selection.StratifiedShuffleSplit(SPLITS, test_size=HELD_OUT, random_state=SEED)
    raw, calibrated = [], []
    for fitted, held in splits.split(scores, of_class):
        shares = _isotonic(scores[fitted], of_class[fitted]).apply(scores[held])
        calibrated.append(equal_count_error(shares, of_class[held]))
        raw.append(equal_count_error(scores[held], of_class[held]))
    return _isotonic(scores, of_class) if np.mean(calibrated) < np.mean(raw) else None


def _isotonic(scores: Floats, of_class: NDArray[np.bool_]) -> Calibration:
    isotonic = _scikit_learn("isotonic")
    model = isotonic.IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(scores, of_class.astype(np.float64))
    return Calibration(
        np.asarray(model.X_thresholds_, np.float64), np.asarray(model.y_thresholds_, np.float64)
    )


def fit_forest(rows: Floats, target: Floats) -> Forest:
    """Gradient-boosted trees that predict `target[n]` from `rows[n, features]`, NaN being
    missing."""
    ensemble = _scikit_learn("ensemble")
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        max_depth=DEPTH,
        min_samples_leaf=LEAST_LEAF_ROWS,
        learning_rate=LEARNING_RATE,
        early_stopping=False,
        random_state=SEED,
    )
    with _one_thread():
        model.fit(rows, target)
    trees = [predictors[0].nodes for predictors in model._predictors]  # noqa: SLF001 - no other way
    return _flat(float(np.ravel(model._baseline_prediction)[0]), trees)  # noqa: SLF001


def _flat(baseline: float, trees: list[NDArray[Any]]) -> Forest:
    """All trees' nodes in one list; a leaf leads to itself."""
    sizes = np.array([len(nodes) for nodes in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    nodes = np.concatenate(trees)
    offset = np.repeat(roots, sizes)
    itself = np.arange(len(nodes))
    leaf = nodes["is_leaf"].astype(bool)
    return Forest(
        baseline,
        roots,
        np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
        np.where(leaf, 0.0, np.clip(nodes["num_threshold"], -_LARGEST, _LARGEST)),
        np.where(leaf, itself, nodes["left"].astype(np.int64) + offset),
        np.where(leaf, itself, nodes["right"].astype(np.int64) + offset),
        np.where(leaf, False, nodes["missing_go_to_left"].astype(bool)),
        np.where(leaf, nodes["value"], 0.0),
    )


def _one_thread() -> AbstractContextManager[object]:
    """Threads that wait for each other where others work too take longer than one alone."""
    limits: AbstractContextManager[object] = _module("threadpoolctl").threadpool_limits(1)
    return limits


def _scikit_learn(part: str) -> Any:  # noqa: ANN401 - a module
    return _module(f"sklearn.{part}")


def _module(name: str) -> Any:  # noqa: ANN401 - a module
    try:
        return import_module(name)  # 100 MB that only a fit needs
    except ImportError:
        raise SidelightError(MISSING) from None
