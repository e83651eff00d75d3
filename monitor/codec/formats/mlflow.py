"""MLflow scoring server: CSV, Parquet, and JSON by rows, by columns, or as a split frame."""

from __future__ import annotations

import re

from monitor.codec.columns import Columns, from_rows
from monitor.codec.format import Format, Inputs
from monitor.codec.formats import delimited, instances, parquet
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

_PATH = re.compile(r"/invocations$")


def matches(message: Message) -> bool:
    """MLflow's own keys, or, on its path, CSV and the keys that it shares with others."""
    if message.path.endswith("/invocations") and delimited.matches(message):
        return True
    if message.media_type in parquet.MEDIA_TYPES:
        return parquet.matches(message)
    request = message.request
    if type(request) is not dict:
        return False
    if "dataframe_split" in request or "dataframe_records" in request:
        return True
    return message.path.endswith("/invocations") and instances.matches(message)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the table, or those under whichever key is there."""
    if delimited.matches(message):
        return delimited.inputs(message, settings)
    if parquet.matches(message):
        return parquet.inputs(message, settings)
    request = message.request
    if "dataframe_split" in request:
        return _split(request["dataframe_split"], settings)
    if "dataframe_records" in request:
        records = request["dataframe_records"]
        if type(records) is not list:
            raise CodecError("no_rows", "dataframe_records is no list")
        return Inputs(from_rows(records, settings.features, settings), len(records))
    return instances.inputs(message, settings)


def _split(frame: object, settings: DecoderSettings) -> Inputs:
    data = frame.get("data") if type(frame) is dict else None
    if type(frame) is not dict or type(data) is not list:
        raise CodecError("no_rows", "dataframe_split holds no list of data")
    columns = frame.get("columns")
    names = settings.features
    if type(columns) is list and columns:
        names = tuple(map(str, columns))
        if len(set(names)) != len(names):
            raise CodecError("bad_name", "two columns of one name")
        if data and type(data[0]) is list and len(data[0]) != len(names):
            raise CodecError("ragged_rows", f"{len(names)} names for rows of {len(data[0])}")
    return Inputs(from_rows(data, names, settings), len(data))


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """`predictions`: a list, records, or columns, as the model returned them."""
    return instances.outputs(message, inputs, settings)


FORMAT = Format(("mlflow",), _PATH, parquet.MEDIA_TYPES, matches, inputs, outputs)
