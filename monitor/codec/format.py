"""What a wire format is to the table that chooses: a few facts and three functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from monitor.codec.columns import Columns
from monitor.codec.message import Message
from monitor.codec.names import Ids, in_bodies
from monitor.codec.settings import DecoderSettings


class Inputs(NamedTuple):  # made once a request, at half the cost of a frozen dataclass
    """The rows of a request.

    `lone` is one row that came without a list around it: a list in the answer may be its vector.
    """

    features: Columns
    rows: int
    lone: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """One wire format.

    `matches` looks at the body and may raise CodecError when it cannot be read at all; `inputs`
    gives the request's rows; `outputs` gives the answer's columns, one entry a row, not yet told
    apart into predictions and probabilities. `readable`, where a format can read more than it
    claims, is asked instead of `matches` where the format is set. `ids` are what the bodies call
    the prediction, once they are read.
    """

    names: tuple[str, ...]  # as in `observe.format`; the first is the one that is shown
    path: re.Pattern[str] | None
    media_types: frozenset[str]
    matches: Callable[[Message], bool]
    inputs: Callable[[Message, DecoderSettings], Inputs]
    outputs: Callable[[Message, Inputs, DecoderSettings], Columns]
    readable: Callable[[Message], bool] | None = None
    ids: Callable[[Message], Ids] = in_bodies
