"""A query's rows in Arrow files of the database's own folder, to be read again and again.

It takes more disk than a compressed table would, and a fraction of the time to write and to read:
its numbers are read past the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.database import Database, as_numpy

ROW = "row"
BATCH_VALUES = 1 << 19
LEAST_ROWS, MOST_ROWS = 2048, 16_384  # a batch: readers and writers hold several
BATCH_BYTES = 8 << 20  # long texts come fewer at a time
FILE_BYTES = 16 << 20  # who scans columns holds what a few files have of them
TOGETHER = 4  # batches of numbers: to count few takes mostly calls


@dataclass(frozen=True, slots=True)
class Spool:
    """A table `relation` that holds each row's number too, in `row`."""

    relation: str
    files: tuple[Path, ...]
    columns: tuple[str, ...]
    rows: int

    def numbers(self, columns: Sequence[str]) -> Iterator[list[NDArray[np.float64]]]:
        """Some columns of numbers, in the rows' order, NaN where missing."""
        import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need

        places = [self.columns.index(name) for name in columns]
        chosen = pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
        for path in self.files:
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, options=chosen) as reader:
                every = range(reader.num_record_batches)
                for start in every[::TOGETHER]:
                    some = [reader.get_batch(i) for i in every[start : start + TOGETHER]]
                    yield [
                        np.concatenate([_floats(batch.column(name)) for batch in some])
                        for name in columns
                    ]


class _Files:
    """Writes batches to one file after the other."""

    def __init__(self, folder: Path, name: str, schema: Any) -> None:  # noqa: ANN401 - as above
        self.paths: list[Path] = []
        self._folder, self._name, self._schema = folder, name, schema
        self._open()

    def write(self, batch: Any) -> None:  # noqa: ANN401 - as above
        """One batch more."""
        if self._file.tell() >= FILE_BYTES:
            self.close()
            self._open()
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Ends the last file."""
        self._writer.close()
        self._file.close()

    def _open(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above

        self.paths.append(self._folder / f"{self._name}-{len(self.paths)}.arrow")
        self._file = pa.OSFile(str(self.paths[-1]), "wb")
        self._writer = pa.ipc.new_file(self._file, self._schema)


def spool(database: Database, path: Path, sql: str, columns: Sequence[str]) -> Spool:
    """What a query of the file gives, with these columns; MisfitError where a value does not fit
    its column's type."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.dataset as ds  # noqa: PLC0415 - as above

    name = database.new_name()
    rows = 0
    at_once = min(max(BATCH_VALUES // max(len(columns), 1), LEAST_ROWS), MOST_ROWS)
    with database.reader(path, f"reading {path.name}", sql, at_once) as reader:
        schema = reader.schema.append(pa.field(ROW, pa.int64()))
        with closing(_Files(database.folder, name, schema)) as files:
            for batch in reader:
                numbers = pa.array(np.arange(rows, rows + len(batch)))
                whole = pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema)
                for part in _parts(whole):
                    files.write(part)
                rows += len(batch)
    database.forget()
    database.register(name, ds.dataset(list(map(str, files.paths)), schema, format="ipc"))
    return Spool(name, tuple(files.paths), tuple(columns), rows)


def _parts(batch: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """The rows in pieces of which a reader can hold a dozen."""
    pieces = max(-(-batch.nbytes // BATCH_BYTES), 1)
    each = max(-(-len(batch) // pieces), 1)
    for start in range(0, len(batch), each):
        yield batch.slice(start, each)


def _floats(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - pyarrow has no types
    found: NDArray[np.float64] = as_numpy(column.fill_null(np.nan) if column.null_count else column)
    return found
