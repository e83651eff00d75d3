"""Requests that are no table (a picture, a sound, a text): only their size is a feature.

Answers are read as ever, so that a model of pictures has its predictions watched. Never chosen by
itself: what cannot be read should be told, not counted by its size.
"""

from __future__ import annotations

from monitor.codec import answers
from monitor.codec.columns import Columns
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings


def matches(_message: Message) -> bool:
    """Nothing, unless it is set."""
    return False


def inputs(message: Message, _settings: DecoderSettings) -> Inputs:
    """One row, whatever the body is."""
    return Inputs({"body_bytes": [len(message.request_body)]}, 1, lone=True)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings, lone=True)


FORMAT = Format(("raw",), None, frozenset(), matches, inputs, outputs, lambda _message: True)
