"""KServe v1, TensorFlow Serving, Vertex AI: `instances` → `predictions`, `inputs` → `outputs`."""

from __future__ import annotations

import re

from monitor.codec import answers
from monitor.codec.columns import Columns
from monitor.codec.format import Format, Inputs
from monitor.codec.formats.open_inference import is_tensors
from monitor.codec.message import Message
from monitor.codec.rows import tensor_rows
from monitor.codec.settings import DecoderSettings


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
