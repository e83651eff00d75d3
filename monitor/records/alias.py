"""Other names of a prediction, under which labels may come: ids in bodies, fields and traces."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Given(IntEnum):
    """Where a name stood. Where two predictions have one name, the lowest counts."""

    BODY = 0  # of the request
    REQUEST = 1  # x-request-id
    EVENT = 2  # ce-id
    ANSWER = 3  # its body, or a field of it
    TRACE = 4  # traceparent: one trace often spans several predictions


class Alias(NamedTuple):
    """One more name of a prediction; its rows are the same under either."""

    name: str
    prediction_id: str
    given: Given
    at: float  # Unix seconds at which the prediction was asked for


def of(aliases: Sequence[Alias], ids: Sequence[str]) -> Sequence[Alias]:
    """Those of these predictions.

    >>> a, b = (Alias(name, name.upper(), Given.BODY, 0.0) for name in "ab")
    >>> [one.name for one in of([a, b], ["B", "B"])]
    ['b']
    """
    if not aliases:
        return aliases
    kept = set(ids)
    return [one for one in aliases if one.prediction_id in kept]
