"""What moved, in words a person can act on; reads shares, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.profile.assess import Assessment
from monitor.schema import Kind
from monitor.snapshot import BinShare

MOST_BINS = 3
LEAST_MOVE = 0.005  # a bin that moved by less explains nothing
LEAST_FAULTY = 0.01  # share of faulty values from which on the data itself is at fault
LEAST_BEYOND = 0.05  # … of numbers beyond the range: a moderate drift alone reaches 1 %
TOLERANCE = 3.0  # … and at least this many times the reference's own share


def explain(column: str, bins: Sequence[BinShare]) -> str:
    """The bins whose share moved most.

    >>> explain("carrier", [BinShare("WN", 0.03, 0.11), BinShare("AA", 0.97, 0.89)])
    'share of carrier=WN rose from 3 % to 11 %; share of carrier=AA fell from 97 % to 89 %'
    """
    moved = sorted(bins, key=lambda one: -abs(one.current - one.reference))[:MOST_BINS]
    return "; ".join(
        f"share of {column}{_named(one.bin)} {_rose(one)} from {_percent(one.reference)} "
        f"to {_percent(one.current)}"
        for one in moved
        if abs(one.current - one.reference) >= LEAST_MOVE
    )


def quality_faults(assessed: Assessment, index: int, kind: Kind) -> tuple[str, ...]:
    """What is wrong with a column's data itself, compared with its reference."""
    now, before = assessed.current, assessed.reference
    outside = ("unseen in the reference", LEAST_FAULTY)
    if kind is Kind.NUMERIC:
        outside = ("beyond the reference's range", LEAST_BEYOND)
    checks = (
        ("missing", LEAST_FAULTY, now.missing_ratio, before.missing_ratio),
        ("of the wrong type", LEAST_FAULTY, now.invalid_ratio, before.invalid_ratio),
        (*outside, now.outside_ratio, before.outside_ratio),
    )
    return tuple(
        f"{_percent(float(share[index]))} of values are {words} "
        f"(reference {_percent(float(usual[index]))})"
        for words, least, share, usual in checks
        if share[index] >= max(least, TOLERANCE * usual[index])
    )


def _named(name: str) -> str:
    """A bin's name behind its column's: `=WN`, ` in [1, 2)`, ` < 3`, ` missing`."""
    if name[:1] in "[(":
        return f" in {name}"
    if name[:1] in "<>≥≤" or name in {"missing", "invalid", "unseen", "other"}:
        return f" {name}"
    return f"={name}"


def _rose(one: BinShare) -> str:
    return "rose" if one.current > one.reference else "fell"


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.1f} %"
