"""How much each feature says about the prediction: what of the prediction's uncertainty is gone
once the feature is known.

Theil's coefficient, I(X; Y) / H(Y), over the published bins, so it holds for numbers and names,
and for dependence of any form; less what as many bins would show by chance. It is about the
feature alone: two that say the same both count in full.

Source: Theil (1970); the correction is Miller's (1955).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.profile.column import ColumnProfile
from monitor.profile.layout import Layout
from monitor.profile.sample import Sampled
from monitor.records.batch import PREDICTION
from monitor.schema import Role

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_ROWS = 200
DIGITS = 4


def uncertainty_coefficient(feature: Codes, prediction: Codes) -> float:
    """Theil's U of two columns of bins `[rows]`; nought where the prediction is constant.

    >>> uncertainty_coefficient(np.arange(400) % 2, np.arange(400) % 2) > 0.99
    True
    >>> uncertainty_coefficient(np.arange(400) % 2, np.arange(400) // 200)
    0.0
    """
    width = int(prediction.max(initial=0)) + 1
    size = (int(feature.max(initial=0)) + 1) * width
    joint = np.bincount(feature * width + prediction, minlength=size).reshape(-1, width)
    joint = joint[joint.any(axis=1)][:, joint.any(axis=0)]
    rows = max(int(joint.sum()), 1)
    total = _entropy(joint.sum(axis=0) / rows)
    if total <= 0:
        return 0.0
    both = _entropy(joint.ravel() / rows)
    shared = _entropy(joint.sum(axis=1) / rows) + total - both
    chance = (joint.shape[0] - 1) * (joint.shape[1] - 1) / (2.0 * rows)
    return min(max(shared - chance, 0.0) / total, 1.0)


def weighed(
    profiles: Sequence[ColumnProfile],
    layout: Layout,
    sampled: Sampled,
    given: Mapping[str, float] | None,
) -> list[ColumnProfile]:
    """The columns with their importances: those given by feature, else what each says of the
    prediction; none where there is neither."""
    found = scaled(_measured(layout, sampled) if given is None else given)
    if not found:
        return list(profiles)

    def weight(profile: ColumnProfile) -> float | None:
        column = profile.column
        if column.role is not Role.FEATURE:
            return None
        return found.get(column.name, found.get(column.source))

    return [replace(profile, importance=weight(profile)) for profile in profiles]


def _measured(layout: Layout, sampled: Sampled) -> dict[str, float]:
    """Each feature's coefficient; of one that is taken apart, its best part's."""
    rows = len(sampled)
    place = layout.index.get((PREDICTION, Role.PREDICTION.value))
    codes = layout.codes(sampled.columns, rows, sampled.at, np.zeros((len(layout.columns), 3)))
    if place is None or place not in codes or rows < LEAST_ROWS:
        return {}
    bins = {i: layout.columns[i].grid.bin_of_cell[column] for i, column in codes.items()}
    found: dict[str, float] = {}
    for i, column in bins.items():
        about = layout.columns[i].column
        if about.role is Role.FEATURE:
            value = uncertainty_coefficient(column, bins[place])
            for name in {about.name, about.source or about.name}:
                found[name] = max(found.get(name, 0.0), value)
    return found


def scaled(weights: Mapping[str, float]) -> dict[str, float]:
    """The same importances, the largest 1; none where all are nought.

    >>> scaled({"a": 40.0, "b": -10.0}), scaled({"a": 0.0})
    ({'a': 1.0, 'b': 0.25}, {})
    """
    largest = max(map(abs, weights.values()), default=0.0)
    if largest <= 0:
        return {}
    return {name: round(abs(weight) / largest, DIGITS) for name, weight in weights.items()}


def _entropy(shares: Floats) -> float:
    held = shares[shares > 0]
    return float(-(held @ np.log(held)))
