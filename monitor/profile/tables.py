"""Reads CSV and Parquet files of any size, some rows at a time; the one place that imports pyarrow,
and only when used.

Knows nothing of references. Every fault is one line of `DataFileError` that names the file. CSV
columns are typed by the first block: a column of numbers stays one, and text that comes up in it
later stays text among numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from monitor.errors import DataFileError
from monitor.profile.values import Coded, Values

Progress = Callable[[int, int], None]  # bytes done, bytes in all

BLOCK_BYTES = 4 << 20
BATCH_ROWS = 65_536
BATCH_BYTES = 64 << 20  # rows that hold long vectors or texts come fewer at a time
LEAST_ROWS = 1024
NULL_TEXTS = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
MAX_NAMES_SHOWN = 10

_PARQUET_MAGIC = b"PAR1"


class Table(Protocol):
    """A file that can be read again and again, in batches of rows."""

    path: Path
    columns: tuple[str, ...]

    def batches(
        self, columns: Sequence[str], progress: Progress | None = None
    ) -> Iterator[dict[str, Values]]:
        """The named columns, some rows at a time, in the file's order."""
        ...


def open_table(path: Path | str) -> Table:
    """The file as a table: Parquet by its first bytes, else CSV (tabs for .tsv; .gz is
    unpacked)."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror}") from None
    if not magic:
        raise DataFileError(f"{path}: the file is empty")
    table: Table = ParquetTable(path) if magic == _PARQUET_MAGIC else CsvTable(path)
    if len(set(table.columns)) < len(table.columns):
        twice = sorted({name for name in table.columns if table.columns.count(name) > 1})
        raise DataFileError(f"{path}: column {twice[0]!r} is there twice")
    return table


def require_columns(table: Table, wanted: Sequence[str]) -> None:
    """DataFileError where the table lacks one of them."""
    for name in wanted:
        if name not in table.columns:
            shown = ", ".join(table.columns[:MAX_NAMES_SHOWN])
            more = ", …" if len(table.columns) > MAX_NAMES_SHOWN else ""
            raise DataFileError(f"{table.path}: no column {name!r}; there are {shown}{more}")


class ParquetTable:
    """A Parquet file, read row group by row group."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - 40 MB that only data files need

        self.path = path
        with _translated(path), pq.ParquetFile(path) as file:
            self.columns: tuple[str, ...] = tuple(file.schema_arrow.names)

    def batches(
        self, columns: Sequence[str], progress: Progress | None = None
    ) -> Iterator[dict[str, Values]]:
        """The named columns, some rows at a time."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above

        require_columns(self, columns)
        size, done = self.path.stat().st_size, 0
        with _translated(self.path), pq.ParquetFile(self.path) as file:
            rows = max(file.metadata.num_rows, 1)
            held = sum(
                file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)
            )
            some = int(min(max(BATCH_BYTES * rows // max(held, 1), LEAST_ROWS), BATCH_ROWS))
            for batch in file.iter_batches(batch_size=some, columns=list(columns)):
                yield {name: arrow_values(batch.column(name)) for name in columns}
                done += batch.num_rows
                if progress:
                    progress(size * done // rows, size)


class CsvTable:
    """A CSV file with a header line, read block by block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _translated(path), self._reader(None) as reader:
            self.columns: tuple[str, ...] = tuple(reader.schema.names)
            kinds = {field.name: str(field.type) for field in reader.schema}
        self._text = {name for name, kind in kinds.items() if kind not in _NUMBER_TYPES}

    def holds_numbers(self, name: str) -> bool:
        """Whether the first block of the column held numbers only, or nothing."""
        return name not in self._text

    def take_for_numbers(self, names: Iterable[str]) -> None:
        """Read these columns as numbers with text among them, whatever the first block held."""
        self._text -= set(names)

    @contextmanager
    def _reader(self, columns: Sequence[str] | None) -> Iterator[Any]:
        """A reader of the file: of texts where columns are given, else only to infer their
        types."""
        import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need
        from pyarrow import csv  # noqa: PLC0415 - as above

        self._raw = pa.OSFile(str(self.path))
        packed = self.path.suffix == ".gz"
        stream = pa.CompressedInputStream(self._raw, "gzip") if packed else self._raw
        if columns is None:
            # The types are the first block's; one byte more says that it is not the last. Given the
            # file, the reader would read on meanwhile, a hundred megabytes of it.
            stream = pa.BufferReader(stream.read(BLOCK_BYTES + 1))
        tabs = ".tsv" in self.path.suffixes
        with (
            self._raw,
            csv.open_csv(
                stream,
                csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=columns is not None),
                csv.ParseOptions(delimiter="\t" if tabs else ",", newlines_in_values=True),
                csv.ConvertOptions(
                    include_columns=None if columns is None else list(columns),
                    column_types=None if columns is None else dict.fromkeys(columns, pa.string()),
                    null_values=list(NULL_TEXTS),
                    strings_can_be_null=True,
                ),
            ) as reader,
        ):
            yield reader

    def batches(
        self, columns: Sequence[str], progress: Progress | None = None
    ) -> Iterator[dict[str, Values]]:
        """The named columns, some rows at a time."""
        require_columns(self, columns)
        size = self.path.stat().st_size
        with _translated(self.path), self._reader(columns) as reader:
            for batch in reader:
                yield {name: self._column(name, batch.column(name)) for name in columns}
                if progress:
                    progress(min(self._raw.tell(), size), size)

    def _column(self, name: str, texts: Any) -> Values:  # noqa: ANN401 - pyarrow has no types
        import pyarrow as pa  # noqa: PLC0415 - as above

        if name in self._text:
            return arrow_values(texts)
        try:
            return arrow_values(texts.cast(pa.float64()))
        except pa.ArrowInvalid:  # text among the numbers of this block
            coded = arrow_values(texts)
            assert isinstance(coded, Coded)  # noqa: S101 - texts are always coded
            return Coded(coded.codes, [number_or_text(value) for value in coded.values])


_NUMBER_TYPES = frozenset({"int64", "double", "null"})


def number_or_text(value: object) -> object:
    """A text of a CSV file as the number it spells, else as it is."""
    try:
        return float(cast("str", value))
    except ValueError:
        return value


def arrow_values(array: Any) -> Values:  # noqa: ANN401 - pyarrow has no types
    """An arrow array as what `profile.values` reads: floats, or codes into distinct values."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    kind = array.type
    if pa.types.is_null(kind):
        return Coded(np.full(len(array), -1, dtype=np.int64), [])
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        floats = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return cast("Values", floats)
    if _holds_vectors(kind):
        return _vectors(array)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return cast("Values", array.to_pylist())
    if pa.types.is_temporal(kind):
        array = array.cast(pa.string())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return Coded(codes, array.dictionary.to_pylist())


def _holds_vectors(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415 - as above

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inside = kind.value_type
    return bool(pa.types.is_floating(inside) or pa.types.is_integer(inside))


def _vectors(array: Any) -> Values:  # noqa: ANN401 - pyarrow has no types
    """Each row's numbers as a view of one array: a float object each would take ten times that."""
    flat = array.flatten().to_numpy(zero_copy_only=False)
    widths = array.value_lengths()
    ends = np.cumsum(widths.fill_null(0).to_numpy(zero_copy_only=False)).tolist()
    starts = [0, *ends[:-1]]
    known = widths.is_valid().to_pylist()
    return [
        flat[start:end] if valid else None
        for start, end, valid in zip(starts, ends, known, strict=True)
    ]


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """pyarrow's and the system's errors as DataFileError."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise DataFileError(f"{path}: cannot be read: {text[:300]}") from None
