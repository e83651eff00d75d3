"""Seldon's protocol v1: `data` as `ndarray` or `tensor` with `names`, or `jsonData`, `strData`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from monitor.codec import answers
from monitor.codec.claims import is_seldon
from monitor.codec.columns import Columns, flatten, from_rows
from monitor.codec.distributions import by_class
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.rows import rows_in
from monitor.codec.settings import DecoderSettings
from monitor.codec.tensors import tensor
from monitor.errors import CodecError

# Names that Seldon makes up where a model gives none.
_MADE_UP = re.compile(r"t:[0-9]+")


def matches(message: Message) -> bool:
    """A SeldonMessage, also as the field `json` of a form."""
    request = message.request
    return type(request) is dict and is_seldon(request)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of whichever payload is there; `binData` is a row without features."""
    request = message.request
    if "jsonData" in request:
        return rows_in(request["jsonData"], message, settings)
    if "strData" in request:
        return Inputs({"strData": [str(request["strData"])]}, 1, lone=True)
    if "binData" in request:
        return Inputs({}, 1, lone=True)
    names, rows = _rows(request["data"], settings)
    return Inputs(from_rows(rows, names or settings.features, settings), len(rows))


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns under its `names`, which are those of classes where they add up to 1."""
    answer = message.answer
    if type(answer) is not dict or not is_seldon(answer):
        return answers.columns_of(answer, inputs.rows, settings, lone=inputs.lone)
    for key in ("jsonData", "strData"):
        if key in answer:
            return answers.columns_of(answer[key], inputs.rows, settings, lone=inputs.lone)
    if "binData" in answer:
        raise CodecError("no_outputs", "binData holds no value that can be counted")
    names, rows = _rows(answer["data"], settings)
    if len(rows) != inputs.rows:
        raise CodecError("rows_differ", f"{inputs.rows} rows, {len(rows)} in the answer")
    return _named(names, rows, settings)


def _named(names: Sequence[str], rows: list[Any], settings: DecoderSettings) -> Columns:
    if type(rows[0]) is not list:
        return {names[0] if len(names) == 1 else "prediction": rows}
    has_names = bool(names) and not any(map(_MADE_UP.fullmatch, names))
    if settings.task != "regression" and by_class(rows) is not None:
        columns: Columns = {"probabilities": rows}
        return {**columns, "classes": [list(names)] * len(rows)} if has_names else columns
    if has_names:
        return from_rows(rows, names, settings)
    return {"prediction": rows}


def _rows(data: object, settings: DecoderSettings) -> tuple[tuple[str, ...], list[Any]]:
    """The names that are given, if there is one for each value, and the rows."""
    if type(data) is not dict:
        raise CodecError("no_rows", "no data")
    names = data.get("names")
    given = tuple(map(str, names)) if type(names) is list else ()
    if len(set(given)) != len(given):
        raise CodecError("bad_name", "two columns of one name")
    rows = data.get("ndarray")
    if type(rows) is not list:
        rows = _tensor_rows(data, settings)
    if not rows:
        raise CodecError("no_rows", "an empty batch")
    width = len(rows[0]) if type(rows[0]) is list else 1
    return given if len(given) == width else (), rows


def _tensor_rows(data: dict[str, Any], settings: DecoderSettings) -> list[Any]:
    value = data.get("tensor")
    if type(value) is not dict:
        raise CodecError("no_tensors", "neither ndarray nor tensor")
    shape, values = value.get("shape"), value.get("values")
    if type(shape) is not list or any(type(size) is not int or size < 0 for size in shape):
        raise CodecError("bad_tensor", "a tensor without a shape")
    if type(values) is not list:
        raise CodecError("bad_tensor", "a tensor without values")
    one = tensor("tensor", shape, flatten(values), settings)
    width = one.width
    return [list(one.data[row * width : (row + 1) * width]) for row in range(one.rows)]


FORMAT = Format(
    ("seldon", "seldon_v1"),
    re.compile(r"/api/v[01]\.[0-9]/predictions$"),
    frozenset(),
    matches,
    inputs,
    outputs,
)
