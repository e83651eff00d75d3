"""Open Inference Protocol v2 over HTTP (KServe, MLServer, Triton): JSON, and its binary extension.

With the header `Inference-Header-Content-Length` the body is that much JSON, and after it the raw
bytes of each tensor that has a `binary_data_size`, in order. Zero means one raw tensor and no JSON.
"""

from __future__ import annotations

import re
from typing import Any

from monitor.codec.columns import Columns, flatten
from monitor.codec.distributions import is_named_distribution
from monitor.codec.document import parse
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.names import Ids, in_document
from monitor.codec.settings import DecoderSettings
from monitor.codec.tensors import (
    Tensor,
    as_written,
    feature_columns,
    from_bytes,
    output_columns,
    tensor,
)
from monitor.errors import CodecError

HEADER_LENGTH = b"inference-header-content-length"

_SCORED_CLASS = re.compile(r"(-?[0-9.]+(?:e[+-]?[0-9]+)?):([0-9]+)(?::(.*))?", re.DOTALL)

Parsed = tuple[Any, memoryview]  # the JSON part of a message, and the raw bytes after it


def matches(message: Message) -> bool:
    """`inputs` is a list of tensors, or the binary extension's header is there."""
    if message.request_value(HEADER_LENGTH):
        return True
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
    said = message.request_value(HEADER_LENGTH)
    if said.strip() == b"0":
        tensors = [_lone(message.request_body, settings)]
    else:
        document, tail = _request(message)
        tensors = _tensors(document.get("inputs") if _is_object(document) else None, tail, settings)
    features, rows = feature_columns(tensors, settings)
    return Inputs(features, rows)


def document(message: Message) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON part of a request in either form; None where the body is one raw tensor."""
    if message.request_value(HEADER_LENGTH).strip() == b"0":
        return None
    return _request(message)[0]


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """A column for each output tensor with one entry a row: scalars, or vectors where wider."""
    answer, tail = _answer(message)
    tensors = _tensors(answer.get("outputs") if _is_object(answer) else None, tail, settings)
    columns = output_columns(tensors, inputs.rows)
    for name in _classifications(message):
        if name in columns:
            columns.update(_classified(name, columns.pop(name), settings))
    return columns


def ids(message: Message) -> Ids:
    """The `id` of either side's JSON part."""
    return in_document(document(message)), in_document(_answer(message)[0])


def _is_object(document: object) -> bool:
    return type(document) is dict


def _request(message: Message) -> Parsed:
    said = message.request_value(HEADER_LENGTH)
    if not said:
        return message.request, memoryview(b"")
    return message.kept("v2 request", lambda: _split(said, message.request_body))


def _answer(message: Message) -> Parsed:
    said = message.answer_value(HEADER_LENGTH)
    if not said:
        return message.answer, memoryview(b"")
    return message.kept("v2 answer", lambda: _split(said, message.answer_body))


def _split(said: bytes, body: bytes) -> Parsed:
    if not said.isdigit() or len(said) > 12 or int(said) > len(body):
        raise CodecError("bad_tensor", "the header's length is not one of this body")
    length = int(said)
    return parse(body[:length]), memoryview(body)[length:]


def _lone(body: bytes, settings: DecoderSettings) -> Tensor:
    """The only input's raw bytes; what they are is known from the model's metadata alone."""
    inputs = settings.schema
    if len(inputs) != 1 or not inputs[0].datatype:
        text = "one raw tensor without JSON: its datatype is known with observe.schema"
        raise CodecError("binary_tensor", text)
    data = from_bytes(inputs[0].datatype, body, settings) or []
    width = inputs[0].width or 1
    if len(data) % width:
        raise CodecError("bad_tensor", f"{len(data)} values in rows of {width}")
    return tensor(inputs[0].name, [len(data) // width, width], data, settings)


def _tensors(value: object, tail: memoryview, settings: DecoderSettings) -> list[Tensor]:
    if type(value) is not list or not value:
        raise CodecError("no_tensors", "no list of tensors")
    if len(value) > settings.max_features:
        raise CodecError("too_many_features", f"{len(value)} tensors")
    found: list[Tensor] = []
    for one in value:
        made, used = _tensor(one, tail, settings)
        found.append(made)
        tail = tail[used:]
    if tail:
        raise CodecError("bad_tensor", f"{len(tail)} bytes after the last tensor")
    return found


def _tensor(value: object, tail: memoryview, settings: DecoderSettings) -> tuple[Tensor, int]:
    if type(value) is not dict or type(value.get("name")) is not str:
        raise CodecError("bad_tensor", "a tensor without a name")
    name, shape = value["name"], value.get("shape")
    if type(shape) is not list or any(type(size) is not int or size < 0 for size in shape):
        raise CodecError("bad_tensor", f"{name[:64]} has no shape")
    data = value.get("data")
    if type(data) is list:
        values = as_written(flatten(data), str(value.get("datatype")))
        return tensor(name, shape, values, settings), 0
    parameters = value.get("parameters")
    size = parameters.get("binary_data_size") if type(parameters) is dict else None
    if type(size) is not int or not 0 <= size <= len(tail):
        reason = "bad_tensor" if size is None or tail else "binary_tensor"
        raise CodecError(reason, f"{name[:64]} has no data, or not all of it")
    data = from_bytes(str(value.get("datatype")), tail[:size], settings)
    if data is None:
        rows = shape[0] if shape else 1
        if rows > settings.max_rows:
            raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
        return Tensor(name, rows, 0, ()), size  # pictures and the like are no features
    return tensor(name, shape, data, settings), size


def _classifications(message: Message) -> list[str]:
    """The outputs that were asked for as `score:index[:label]` texts (Triton's extension)."""
    request = document(message)
    asked = request.get("outputs") if type(request) is dict else None
    if type(asked) is not list:
        return []
    return [
        one["name"]
        for one in asked
        if type(one) is dict
        and type(one.get("name")) is str
        and type(one.get("parameters")) is dict
        and one["parameters"].get("classification")
    ]


def _classified(name: str, texts: Any, settings: DecoderSettings) -> Columns:  # noqa: ANN401
    """The best class of each row and its score; all scores by class where they add up to one."""
    rows = [[_scored(text) for text in (row if type(row) is list else [row])] for row in texts]
    scored = [dict(one for one in row if one is not None) for row in rows]
    if any(None in row for row in rows) or not all(scored):
        return {name: texts}
    if settings.task != "regression" and all(map(is_named_distribution, scored)):
        return {name: scored}
    best = [max(row, key=row.__getitem__) for row in scored]
    scores = [row[label] for row, label in zip(scored, best, strict=True)]
    return {name: best, f"{name}.score": scores}


def _scored(text: object) -> tuple[str, float] | None:
    found = _SCORED_CLASS.fullmatch(text) if type(text) is str else None
    if found is None:
        return None
    try:
        return found[3] or found[2], float(found[1])
    except ValueError:
        return None


FORMAT = Format(
    ("open_inference", "v2", "kserve_v2"),
    re.compile(r"/v2/models/[^/]+(?:/versions/[^/]+)?/infer$"),
    frozenset(),
    matches,
    inputs,
    outputs,
    ids=ids,
)
