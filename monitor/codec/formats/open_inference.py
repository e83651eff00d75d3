"""Open Inference Protocol v2 in JSON (KServe, MLServer, Triton): named tensors in and out.

Both tabular layouts: one two-dimensional tensor of positional features, or one tensor a column.
Tensor data may be flat or nested, so the shape decides. Binary tensors are not read here.
"""

from __future__ import annotations

import math
import re
from typing import Any

from monitor.codec.columns import Columns, flatten, name_of, settle
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

MAX_DIMENSIONS = 16

Tensor = tuple[str, int, int, list[Any]]  # name, rows, values a row, values in row-major order


def matches(message: Message) -> bool:
    """`inputs` is a list of tensors."""
    return is_tensors(message.request)


def is_tensors(request: object) -> bool:
    """Whether `inputs` are objects that have a datatype: then no other format may read it.

    >>> is_tensors({"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}]})
    True
    """
    tensors = request.get("inputs") if type(request) is dict else None
    first = tensors[0] if type(tensors) is list and tensors else None
    return type(first) is dict and "datatype" in first and "name" in first


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the input tensors; their first dimension is the batch."""
    tensors = _tensors(message.request.get("inputs"), settings)
    rows = tensors[0][1]
    if any(tensor[1] != rows for tensor in tensors):
        raise CodecError("ragged_rows", "input tensors of different batch sizes")
    columns: Columns = {}
    for name, _, width, data in tensors:
        names = [name]
        if width > 1 and len(tensors) == 1:
            names = [name_of(index, width, settings.features) for index in range(width)]
        elif width > 1:
            names = [f"{name}[{index}]" for index in range(width)]
        columns.update((names[i], data[i::width]) for i in range(width))
    return Inputs(settle(columns, rows, settings), rows)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """A column for each output tensor with one entry a row: scalars, or vectors where wider."""
    answer = message.answer
    tensors = _tensors(answer.get("outputs") if type(answer) is dict else None, settings)
    if all(tensor[1] != inputs.rows for tensor in tensors):
        text = f"{inputs.rows} rows in the request, {tensors[0][1]} in the answer"
        raise CodecError("rows_differ", text)
    return {
        name: data if width == 1 else [data[at : at + width] for at in range(0, len(data), width)]
        for name, rows, width, data in tensors
        if rows == inputs.rows
    }


def _tensors(value: object, settings: DecoderSettings) -> list[Tensor]:
    if type(value) is not list or not value:
        raise CodecError("no_tensors", "no list of tensors")
    if len(value) > settings.max_features:
        raise CodecError("too_many_features", f"{len(value)} tensors")
    return [_tensor(one, settings) for one in value]


def _tensor(value: object, settings: DecoderSettings) -> Tensor:
    if type(value) is not dict or type(value.get("name")) is not str:
        raise CodecError("bad_tensor", "a tensor without a name")
    name, shape, data = value["name"], value.get("shape"), value.get("data")
    if type(data) is not list:
        parameters = value.get("parameters")
        is_binary = type(parameters) is dict and "binary_data_size" in parameters
        raise CodecError("binary_tensor" if is_binary else "bad_tensor", f"{name[:64]} has no data")
    if type(shape) is not list or any(type(size) is not int or size < 0 for size in shape):
        raise CodecError("bad_tensor", f"{name[:64]} has no shape")
    flat = flatten(data)
    if math.prod(shape[:MAX_DIMENSIONS]) != len(flat) or len(shape) > MAX_DIMENSIONS:
        raise CodecError(
            "bad_tensor", f"{name[:64]} has {len(flat)} values, not those of its shape"
        )
    rows = shape[0] if shape else 1
    if rows > settings.max_rows:
        raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
    width = len(flat) // rows if rows else 0
    if width > settings.max_features:
        raise CodecError("too_many_features", f"{name[:64]} has {width} values a row")
    return name, rows, width, flat


FORMAT = Format(
    ("open_inference", "v2", "kserve_v2"),
    re.compile(r"/v2/models/[^/]+(?:/versions/[^/]+)?/infer$"),
    frozenset(),
    matches,
    inputs,
    outputs,
)
