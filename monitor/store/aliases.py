"""Which prediction a name stands for: the rule of aliases, without any database.

A name is kept as the digest that ids have (`key_of`), beside the prediction's own. Of two
predictions with one name that has it where it stood in the stronger place; of equals neither, and
the name is ambiguous for good. So what a name stands for does not depend on the order in which
predictions come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.records.batch import Batch
from monitor.store.values import key_of

AMBIGUOUS = "prediction_id names more than one prediction"
RENEWED_SECONDS = 3600.0  # a name that comes with every request is written no more often


class Name(NamedTuple):
    """One name of one prediction."""

    alias: int
    key: int
    rank: int
    at: float
    prediction_id: str


class Meaning(NamedTuple):
    """What a name stands for."""

    key: int | None  # of the prediction; None where there is more than one
    rank: int
    at: float  # Unix seconds of the newest prediction that had the name


def listed(batches: Sequence[Batch], text: Callable[[str], str]) -> list[Name]:
    """The names in these batches; `text` gives an id as the database holds it."""
    return [
        Name(key_of(text(name)), key_of(kept := text(prediction_id)), int(given), at, kept)
        for batch in batches
        for name, prediction_id, given, at in batch.aliases
    ]


def kept(names: Iterable[Name], began: Mapping[int, float]) -> list[Name]:
    """The names of predictions that were kept; `began` is when each asked for began, by its key.

    A prediction whose id was taken is not kept, and its names are not those of the one that is; one
    that was deleted keeps its names, under which what comes later is dropped.
    """
    return [one for one in names if began.get(one.key, one.at) == one.at]


def meanings(names: Iterable[Name]) -> dict[int, Meaning]:
    """What each name stands for, by its digest."""
    found: dict[int, Meaning] = {}
    for alias, key, rank, at, _ in names:
        one = Meaning(key, rank, at)
        found[alias] = stronger(found[alias], one) if alias in found else one
    return found


def stronger(one: Meaning, other: Meaning) -> Meaning:
    """What a name stands for that was given twice.

    >>> stronger(Meaning(7, 0, 1.0), Meaning(8, 4, 2.0))
    Meaning(key=7, rank=0, at=2.0)
    >>> stronger(Meaning(7, 4, 1.0), Meaning(8, 4, 2.0))
    Meaning(key=None, rank=4, at=2.0)
    """
    at = max(one.at, other.at)
    if one.rank != other.rank:
        return min(one, other, key=lambda meaning: meaning.rank)._replace(at=at)
    return Meaning(one.key if one.key == other.key else None, one.rank, at)
