"""Parquet requests, as MLflow takes them: a table's columns are the features.

pyarrow is loaded when the first one comes. What a file may ask for is checked in its footer before
a page is read; only uncompressed and Snappy pages are, because their size has a bound.
"""

from __future__ import annotations

from typing import Any

from monitor.codec.columns import Columns, settle
from monitor.codec.footer import BOUNDED_CODECS, Footer, read_footer
from monitor.codec.format import Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

MEDIA_TYPES = frozenset(
    {"application/vnd.apache.parquet", "application/parquet", "application/x-parquet"}
)
_MAGIC = b"PAR1"


def matches(message: Message) -> bool:
    """Said to be Parquet, and begins like it."""
    return message.media_type in MEDIA_TYPES and message.request_body[:4] == _MAGIC


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The table's rows."""
    import pyarrow as pa  # noqa: PLC0415 - tens of megabytes that most monitors never need
    import pyarrow.parquet as pq  # noqa: PLC0415

    footer = read_footer(message.request_body)
    _check(footer, settings)
    try:
        source = pa.BufferReader(message.request_body)
        # Not `read_table`: it reads ahead in threads of its own, which go on after a fault and then
        # end the process on memory that was given back.
        file = pq.ParquetFile(source, read_dictionary=list(footer.columns), pre_buffer=False)
        table = file.read(use_threads=False)
        table.validate(full=True)  # or reading a value could reach outside of its buffer
        columns: Columns = {
            name: _values(column)
            for name, column in zip(table.column_names, table.columns, strict=True)
            if not name.startswith("__index_level_")  # pandas' own
        }
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise CodecError("not_parquet", str(error)[:100]) from None
    if table.num_rows != footer.rows:
        raise CodecError("not_parquet", "fewer rows than the footer says")
    return Inputs(settle(columns, footer.rows, settings), footer.rows)


def _check(footer: Footer, settings: DecoderSettings) -> None:
    width = len(footer.columns)
    if footer.rows > settings.max_rows:
        raise CodecError("too_many_rows", f"{footer.rows} rows, at most {settings.max_rows}")
    if width > settings.max_features:
        raise CodecError("too_many_features", f"{width} columns")
    if footer.rows * width > settings.max_values:
        raise CodecError("too_many_values", f"{width} columns of {footer.rows} rows")
    if not footer.codecs <= BOUNDED_CODECS:
        raise CodecError("bad_compression", "Parquet pages neither uncompressed nor in Snappy")


def _values(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    """A column's values as JSON would write them: times as text, bytes as missing."""
    found: list[Any] = []
    for chunk in column.chunks:
        texts = getattr(chunk, "dictionary", None)
        if texts is None:
            found.extend(map(_plain, chunk.to_pylist()))
            continue
        named = [_plain(text) for text in texts.to_pylist()]  # a text in many rows is held once
        found.extend(None if index is None else named[index] for index in chunk.indices.to_pylist())
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a table
    if value is None or type(value) in (int, float, bool, str, list, dict):
        return value
    return None if type(value) is bytes else str(value)
