"""One statistic of two raw samples by the conventions of another tool: the table that chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from monitor.errors import StatisticsError
from monitor.statistics.conventions import evidently, nannyml
from monitor.statistics.conventions.samples import Values

Conventions = Literal["evidently", "nannyml"]
Kind = Literal["numeric", "categorical"]

Measure = Callable[[str, Values, Values], float]

MEASURES: Mapping[tuple[str, str], tuple[Measure, tuple[str, ...]]] = {
    ("evidently", "numeric"): (
        evidently.numeric,
        (*evidently.COUNTED, "hellinger", *evidently.TALLIED, *evidently.OF_NUMBERS),
    ),
    ("evidently", "categorical"): (evidently.categorical, tuple(evidently.CATEGORICAL)),
    ("nannyml", "numeric"): (nannyml.numeric, (*nannyml.OF_SHARES, *nannyml.OF_NUMBERS)),
    ("nannyml", "categorical"): (nannyml.categorical, (*nannyml.OF_SHARES, *nannyml.OF_COUNTS)),
}


def statistics(conventions: Conventions, kind: Kind) -> tuple[str, ...]:
    """Names of the statistics that these conventions have for columns of this kind.

    >>> statistics("nannyml", "categorical")
    ('js', 'hellinger', 'l_infinity', 'chi_square')
    """
    return _measure(conventions, kind)[1]


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
    measure, known = _measure(conventions, kind)
    if statistic not in known:
        raise StatisticsError(
            f"{conventions} has no {statistic} of {kind} samples, but {', '.join(known)}"
        )
    return measure(statistic, reference, current)


def _measure(conventions: str, kind: str) -> tuple[Measure, tuple[str, ...]]:
    found = MEASURES.get((conventions, kind))
    if found is None:
        pairs = ", ".join(f"{name} {of}" for name, of in MEASURES)
        raise StatisticsError(f"no conventions for {conventions} {kind}; there are {pairs}")
    return found
