"""KServe v1, TensorFlow Serving, Vertex AI: `instances` → `predictions`, `inputs` → `outputs`."""

from __future__ import annotations

import re
from typing import Any

from monitor.codec import answers
from monitor.codec.columns import SCALARS, Columns, from_object, from_rows, settle
from monitor.codec.format import Format, Inputs
from monitor.codec.formats.open_inference import is_tensors
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError


def matches(message: Message) -> bool:
    """An object with `instances` or `inputs`, unless those are the tensors of another protocol."""
    request = message.request
    if type(request) is not dict:
        return False
    return "instances" in request or ("inputs" in request and not is_tensors(request))


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of `instances`, or of `inputs`."""
    request = message.request
    rows = request.get("instances")
    if rows is None:
        rows = request.get("inputs")
    return tensor_rows(rows, settings)


def tensor_rows(value: Any, settings: DecoderSettings) -> Inputs:  # noqa: ANN401 - any JSON value
    """Rows of a list (the first dimension is the batch), or of an object of columns."""
    if type(value) is list:
        return Inputs(from_rows(value, settings.features, settings), len(value))
    if type(value) is not dict or not value:
        raise CodecError("no_rows", "neither rows nor columns")
    if SCALARS.issuperset(map(type, value.values())):
        return Inputs(from_object(value, settings), 1)
    columns: Columns = {}
    for name, column in value.items():
        if type(column) is not list or (
            columns and len(column) != len(next(iter(columns.values())))
        ):
            raise CodecError("ragged_rows", "columns of different lengths")
        columns[name] = column
    rows = len(next(iter(columns.values())))
    if rows > settings.max_rows:
        raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
    return Inputs(settle(columns, rows, settings), rows)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """`predictions`, `outputs`, or any other answer: nobody enforces the key."""
    return answers.columns_of(message.answer, inputs.rows, settings)


FORMAT = Format(
    ("instances", "kserve_v1", "tensorflow_serving", "vertex"),
    re.compile(r"/v1/models/[^/]+(?:/(?:versions|labels)/[^/]+)?:predict$"),
    frozenset(),
    matches,
    inputs,
    outputs,
)
