"""Raw samples as the conventions take them: missing values left out, and counted in common cells.

Knows no convention.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError

Floats = NDArray[np.float64]
Numbers = NDArray[Any]  # integers stay integers: numpy's bin widths depend on it
Names = Sequence[object]
Values = Sequence[object] | NDArray[Any]


def stats() -> Any:  # noqa: ANN401 - a module
    """`scipy.stats`, loaded when asked for: it takes a second, and no live process needs it."""
    return import_module("scipy.stats")


def kolmogorov_smirnov(reference: Numbers, current: Numbers) -> tuple[float, float]:
    """Distance and two-sided p-value of raw samples, by scipy's own choice of method."""
    with warnings.catch_warnings():
        # It says when the exact distribution is out of reach, and goes on with the limit.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats().ks_2samp(reference, current)
    return float(found.statistic), float(found.pvalue)


def wasserstein_of_samples(reference: Numbers, current: Numbers) -> float:
    """The Wasserstein-1 distance of raw samples, in the values' units."""
    return float(stats().wasserstein_distance(reference, current))


def numbers(values: Values, *, finite_only: bool) -> Numbers:
    """A numeric sample without NaN and None, and without infinities where `finite_only`.

    StatisticsError for what is no number.

    >>> numbers([1, 2, None, 4], finite_only=True)
    array([1., 2., 4.])
    """
    held = np.asarray(values)
    try:
        held = held.astype(np.float64) if held.dtype.kind not in "iu" else held
    except (TypeError, ValueError):
        raise StatisticsError("a numeric sample holds something that is no number") from None
    if held.ndim != 1:
        raise StatisticsError("a sample is one row of values")
    kept: Numbers = held[np.isfinite(held) if finite_only else ~np.isnan(held)]
    return kept


def categories(values: Values) -> list[object]:
    """A categorical sample without None and NaN.

    >>> categories(["a", None, "b", float("nan")])
    ['a', 'b']
    """
    listed: Iterable[object] = values.tolist() if isinstance(values, np.ndarray) else values
    return [value for value in listed if value is not None and value == value]  # noqa: PLR0124 - NaN only differs from itself


def tallied(reference: Iterable[object], current: Iterable[object]) -> tuple[Floats, Floats]:
    """Counts of both samples over the union of their values, one cell a value.

    >>> tallied(["a", "b", "a"], ["c", "a"])
    (array([2., 1., 0.]), array([1., 0., 1.]))
    """
    cells: dict[object, list[float]] = {}
    for side, sample in enumerate((reference, current)):
        for value in sample:
            cells.setdefault(value, [0.0, 0.0])[side] += 1.0
    table = np.array(list(cells.values()), dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def histogram(values: ArrayLike, edges: Floats) -> Floats:
    """Counts between edges; the last cell holds its upper edge too, none what lies outside."""
    return np.histogram(np.asarray(values), edges)[0].astype(np.float64)


def bin_edges(values: Numbers, rule: str) -> Floats:
    """Edges of equal width by one of numpy's rules (`sturges`, `doane`).

    StatisticsError where a value is infinite or the range too wide.
    """
    try:
        found = np.histogram_bin_edges(values, bins=rule)
    except (ValueError, OverflowError, MemoryError) as error:
        raise StatisticsError(f"no bins by the rule {rule}: {error}") from None
    return np.asarray(found, dtype=np.float64)
