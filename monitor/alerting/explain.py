"""What moved, in words a person can act on; reads shares, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.profile.grid import PRESENT
from monitor.snapshot import BinShare

MOST_BINS = 3
LEAST_MOVE = 0.005  # a bin that moved by less explains nothing


def explain(column: str, bins: Sequence[BinShare], change: str = "") -> str:
    """The kind of change, where it has a name, then the bins whose share moved most.

    >>> explain("carrier", [BinShare("WN", 0.03, 0.11), BinShare("AA", 0.97, 0.89)])
    'share of carrier=WN rose from 3 % to 11 %; share of carrier=AA fell from 97 % to 89 %'
    """
    telling = [one for one in bins if one.bin != PRESENT]  # what is not missing says nothing
    moved = sorted(telling, key=lambda one: -abs(one.current - one.reference))[:MOST_BINS]
    shares = [
        f"share of {column}{_named(one.bin)} {_rose(one)} from {percent(one.reference)} "
        f"to {percent(one.current)}"
        for one in moved
        if abs(one.current - one.reference) >= LEAST_MOVE
    ]
    return "; ".join([change, *shares] if change else shares)


def percent(share: float) -> str:
    """A share as people write it.

    >>> percent(0.25), percent(0.004), percent(0.0), percent(0.9999)
    ('25 %', '0.4 %', '0 %', '100 %')
    """
    percents = 100 * share
    return f"{percents:.0f} %" if percents >= 1 or percents == 0 else f"{percents:.1f} %"


def _named(name: str) -> str:
    """A bin's name behind its column's: `=WN`, ` in [1, 2)`, ` < 3`, ` missing`."""
    if name[:1] in "[(":
        return f" in {name}"
    if name[:1] in "<>≥≤" or name in {"missing", "invalid", "unseen", "other"}:
        return f" {name}"
    return f"={name}"


def _rose(one: BinShare) -> str:
    return "rose" if one.current > one.reference else "fell"
