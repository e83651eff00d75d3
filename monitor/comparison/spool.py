"""A query's rows in an Arrow file of the database's own folder, to be read again and again.

It takes more disk than a compressed table would, and a fraction of the time to write and to read:
its numbers are read past the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
TOGETHER = 4  # batches of numbers: to count few takes mostly calls


@dataclass(frozen=True, slots=True)
class Spool:
    """A table `relation` that holds each row's number too, in `row`."""

    relation: str
    kept: Path
    columns: tuple[str, ...]
    rows: int

    def numbers(self, columns: Sequence[str]) -> Iterator[list[NDArray[np.float64]]]:
        """Some columns of numbers, in the rows' order, NaN where missing."""
        import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need

        places = [self.columns.index(name) for name in columns]
        chosen = pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
        with pa.OSFile(str(self.kept)) as file, pa.ipc.open_file(file, options=chosen) as reader:
            every = range(reader.num_record_batches)
            for start in every[::TOGETHER]:
                some = [reader.get_batch(i) for i in every[start : start + TOGETHER]]
                yield [
                    np.concatenate([_floats(batch.column(name)) for batch in some])
                    for name in columns
                ]


def spool(database: Database, path: Path, sql: str, columns: Sequence[str]) -> Spool:
    """What a query of the file gives, with these columns; MisfitError where a value does not fit
    its column's type."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.dataset as ds  # noqa: PLC0415 - as above

    name = database.new_name()
    kept = database.folder / f"{name}.arrow"
    rows = 0
    at_once = min(max(BATCH_VALUES // max(len(columns), 1), LEAST_ROWS), MOST_ROWS)
    with database.reader(path, f"reading {path.name}", sql, at_once) as reader:
        schema = reader.schema.append(pa.field(ROW, pa.int64()))
        with pa.OSFile(str(kept), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in reader:
                numbers = pa.array(np.arange(rows, rows + len(batch)))
                whole = pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema)
                for part in _parts(whole):
                    writer.write_batch(part)
                rows += len(batch)
    database.forget()
    database.register(name, ds.dataset(str(kept), format="ipc"))
    return Spool(name, kept, tuple(columns), rows)


def _parts(batch: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """The rows in pieces of which a reader can hold a dozen."""
    pieces = max(-(-batch.nbytes // BATCH_BYTES), 1)
    each = max(-(-len(batch) // pieces), 1)
    for start in range(0, len(batch), each):
        yield batch.slice(start, each)


def _floats(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - pyarrow has no types
    found: NDArray[np.float64] = as_numpy(column.fill_null(np.nan) if column.null_count else column)
    return found
