"""SageMaker's `/invocations`: CSV without a header, JSON lines, `instances` of records.

Where nothing is set, other formats read these bodies the same way; set, no CSV has a header.
"""

from __future__ import annotations

from monitor.codec import answers
from monitor.codec.bodies import JSON_LINES
from monitor.codec.columns import Columns
from monitor.codec.format import Format, Inputs
from monitor.codec.formats import delimited, instances
from monitor.codec.message import Message
from monitor.codec.rows import rows_in
from monitor.codec.settings import DecoderSettings


def matches(message: Message) -> bool:
    """Lines of JSON; the rest of what it reads is claimed by others first."""
    if message.media_type in JSON_LINES:
        return type(message.request) in (list, dict)
    return False


def is_sagemaker(message: Message) -> bool:
    """Any body that this format can read, where it is set."""
    return delimited.matches(message) or type(message.request) in (list, dict)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the lines, or of the JSON document."""
    if delimited.matches(message):
        return delimited.without_header(message, settings)
    if instances.matches(message):
        return instances.inputs(message, settings)
    return rows_in(message.request, message, settings)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings, lone=inputs.lone)


FORMAT = Format(("sagemaker",), None, JSON_LINES, matches, inputs, outputs, is_sagemaker)
