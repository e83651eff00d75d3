"""One statistic of two raw samples by the conventions of another tool: the table that chooses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from monitor.errors import StatisticsError
from monitor.statistics.conventions import evidently, nannyml
from monitor.statistics.conventions.samples import Values, categories, numbers

Conventions = Literal["evidently", "nannyml"]
Kind = Literal["numeric", "categorical"]

Measure = Callable[[str, Any, Any], float]


@dataclass(frozen=True, slots=True)
class Convention:
    """How one tool measures samples of one kind: what it keeps of each, and its statistics."""

    kept: Callable[[Values], Sized]
    measure: Measure  # of two samples that hold something
    statistics: tuple[str, ...]


CONVENTIONS: Mapping[tuple[str, str], Convention] = {
    ("evidently", "numeric"): Convention(
        partial(numbers, finite_only=True),
        evidently.numeric,
        (*evidently.COUNTED, "hellinger", *evidently.TALLIED, *evidently.OF_NUMBERS),
    ),
    ("evidently", "categorical"): Convention(
        categories, evidently.categorical, tuple(evidently.CATEGORICAL)
    ),
    ("nannyml", "numeric"): Convention(
        partial(numbers, finite_only=False),
        nannyml.numeric,
        (*nannyml.OF_SHARES, *nannyml.OF_NUMBERS),
    ),
    ("nannyml", "categorical"): Convention(
        categories, nannyml.categorical, (*nannyml.OF_SHARES, *nannyml.OF_COUNTS)
    ),
}


def statistics(conventions: Conventions, kind: Kind) -> tuple[str, ...]:
    """Names of the statistics that these conventions have for columns of this kind.

    >>> statistics("nannyml", "categorical")
    ('js', 'hellinger', 'l_infinity', 'chi_square')
    """
    return _convention(conventions, kind).statistics


def score(
    statistic: str, reference: Values, current: Values, *, conventions: Conventions, kind: Kind
) -> float:
    """A statistic of two raw samples, each one row of values, as the named tool computes it.

    `chi_square` and `ks` are p-values with Evidently, statistics with NannyML; `z` is a p-value;
    the others are distances: the larger, the farther apart. NaN where a sample holds no values.

    StatisticsError for conventions or statistics that there are none of, and for values that are no
    numbers in a numeric sample.

    >>> before, now = list("aaaaabbbcc"), list("aaaaabbbcd")
    >>> round(score("js", before, now, conventions="nannyml", kind="categorical"), 4)
    0.2495
    """
    convention = _convention(conventions, kind)
    if statistic not in convention.statistics:
        known = ", ".join(convention.statistics)
        raise StatisticsError(f"{conventions} has no {statistic} of {kind} samples, but {known}")
    before, now = convention.kept(reference), convention.kept(current)
    if not len(before) or not len(now):
        return math.nan
    return convention.measure(statistic, before, now)


def _convention(conventions: str, kind: str) -> Convention:
    found = CONVENTIONS.get((conventions, kind))
    if found is None:
        pairs = ", ".join(f"{name} {of}" for name, of in CONVENTIONS)
        raise StatisticsError(f"no conventions for {conventions} {kind}; there are {pairs}")
    return found
