"""Which faults of the data itself are more than chance, and what to call them.

Each column's threshold follows from its own reference, from the rows at hand, and from the same
budget of false alerts that drift keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.alerting.explain import percent
from monitor.profile.column import ColumnProfile
from monitor.profile.quality import FAULTS, FROZEN, INVALID, MISSING, OUTSIDE, Quality
from monitor.schema import Kind

LEAST_EFFECT = 0.1  # Cohen's h: from 0 to .25 %, from 5 to 7.5 %, from 40 to 45 %
LEAST_FROZEN = math.pi / 2.0  # the value held at most half of the reference
NAMES_SHOWN = 3
NAME_CHARACTERS = 40

_WORDS = {
    MISSING: "missing",
    INVALID: "of the wrong type",
    OUTSIDE: "unseen in the reference",
}
_BEYOND = "far beyond the reference's range"


@dataclass(frozen=True, slots=True)
class Fault:
    """A column's share of faulty rows, beside the reference's and the smallest that is too much."""

    fault: int  # index into FAULTS
    share: float
    reference_share: float
    threshold: float


def faults(quality: Quality, level: float) -> list[list[Fault]]:
    """Each column's faults: surprising at `level`, and large enough to matter."""
    surprising = np.nan_to_num(quality.p_value, nan=1.0) <= level
    least = np.full(len(FAULTS), LEAST_EFFECT)
    least[FROZEN] = LEAST_FROZEN
    large = np.nan_to_num(quality.effect, nan=0.0) >= least[:, None]
    found: list[list[Fault]] = [[] for _ in range(quality.hits.shape[1])]
    which, columns = np.nonzero(surprising & large)
    if not len(which):
        return found
    shares = quality.share[which, columns], quality.reference_share[which, columns]
    limits = quality.thresholds(which, columns, level, least[which])
    table = zip(which, columns, *(part.tolist() for part in (*shares, limits)), strict=True)
    for fault, column, share, usual, limit in table:
        found[column].append(Fault(int(fault), share, usual, limit))
    return found


def describe(fault: Fault, profile: ColumnProfile, value: str, names: Sequence[str]) -> str:
    """A fault in words; `value` is what a frozen column holds, `names` are unseen categories."""
    usual = percent(fault.reference_share)
    if fault.fault == FROZEN:
        return f"frozen: every value is {value} (reference {usual})"
    what = _WORDS[fault.fault]
    if fault.fault == OUTSIDE:
        numeric = profile.column.kind is Kind.NUMERIC
        what = _BEYOND if numeric else what + (f": {_quoted(names)}" if names else "")
    limit = f"{100 * fault.threshold:.2g} %"
    gone = fault.fault == MISSING and fault.share >= 1
    cause = "the column is absent or empty: " if gone else ""
    return f"{cause}{percent(fault.share)} of values are {what} (reference {usual}, limit {limit})"


def _quoted(names: Sequence[str]) -> str:
    """Some unseen categories.

    >>> _quoted(["XX", "YY", "ZZ", "QQ"])
    "'XX', 'YY', 'ZZ', …"
    """
    texts = [
        f"'{name}'" if len(name) <= NAME_CHARACTERS else f"'{name[:NAME_CHARACTERS]}…'"
        for name in names[:NAMES_SHOWN]
    ]
    return ", ".join([*texts, "…"] if len(names) > NAMES_SHOWN else texts)
