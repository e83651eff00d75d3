"""Named-field JSON, as plain web services speak it: an object is a row, or columns; a list is rows.

Whatever no other format claims is read here, for any JSON, lines, events or form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.codec import answers, claims, rows
from monitor.codec.columns import Columns
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings

# Keys that belong to other formats, and whether an object with one of them is theirs.
_CLAIMS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    **dict.fromkeys(("instances", "inputs", "dataframe_split", "dataframe_records"), claims.always),
    **dict.fromkeys(("data", "jsonData", "strData", "binData"), claims.is_seldon),
    "examples": claims.is_examples,
    "messages": claims.is_chat,
}


def matches(message: Message) -> bool:
    """Any JSON object or list that no other format claims."""
    request = message.request
    if type(request) is not dict:
        return type(request) is list
    if _CLAIMS.keys().isdisjoint(request):
        return True
    return not any(is_theirs(request) for key, is_theirs in _CLAIMS.items() if key in request)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the request."""
    return rows.rows_in(message.request, message, settings)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings, lone=inputs.lone)


FORMAT = Format(
    ("named", "json", "bentoml", "litserve", "ray_serve", "torchserve", "flask", "fastapi"),
    None,
    frozenset(),
    matches,
    inputs,
    outputs,
)
