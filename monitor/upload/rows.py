"""A CSV or Parquet file of labels as items of `POST /feedback`, one piece after the other.

Knows nothing of the network. The file is never read whole.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import SidelightError

PIECE_ROWS = 2_000
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}

Item = dict[str, Any]


class LabelFileError(SidelightError):
    """The file cannot be read, or lacks a column."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of the file say what."""

    prediction_id: str
    label: str
    row: str | None = None
    observed_at: str | None = None

    @property
    def names(self) -> list[str]:
        """All that are read."""
        return [one for one in (self.prediction_id, self.label, self.row, self.observed_at) if one]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of the file; rows without an id or a label give no item."""

    rows: int
    items: list[Item]


def count_rows(path: Path) -> int | None:
    """How many rows there are, where that can be known without reading them."""
    if not _is_parquet(path):
        return None
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where data files are read

    return int(pq.ParquetFile(path).metadata.num_rows)


def pieces(path: Path, columns: Columns, skip: int = 0) -> Iterator[Piece]:
    """The file's rows from number `skip` on; LabelFileError where it cannot be read."""
    import pyarrow as pa  # noqa: PLC0415 - only where data files are read

    try:
        for batch in _batches(path, columns):
            if skip >= len(batch):
                skip -= len(batch)
                continue
            table = batch.slice(skip).to_pydict()
            skip = 0
            yield from _cut(table, columns)
    except (OSError, pa.ArrowException) as error:
        raise LabelFileError(f"{path}: {' '.join(str(error).split())}") from None


def _batches(path: Path, columns: Columns) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - only where data files are read
    import pyarrow.csv as pc  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if _is_parquet(path):
        file = pq.ParquetFile(path)
        _require(path, columns, file.schema_arrow.names)
        yield from file.iter_batches(10 * PIECE_ROWS, columns=columns.names)
        return
    with path.open("rb") as head:
        named = next(pc.open_csv(head, pc.ReadOptions(block_size=1 << 20))).schema.names
    _require(path, columns, named)
    texts = dict.fromkeys(columns.names, pa.string())  # a number in one block, text in the next
    yield from pc.open_csv(
        path,
        convert_options=pc.ConvertOptions(
            column_types=texts, include_columns=columns.names, strings_can_be_null=True
        ),
    )


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in {".parquet", ".pq"}


def _require(path: Path, columns: Columns, named: list[str]) -> None:
    for name in columns.names:
        if name not in named:
            raise LabelFileError(f"{path} has no column {name!r}; it has {', '.join(named)}")


def _cut(table: dict[str, list[object]], columns: Columns) -> Iterator[Piece]:
    rows = len(table[columns.label])
    for start in range(0, rows, PIECE_ROWS):
        span = range(start, min(start + PIECE_ROWS, rows))
        made = (_item({name: values[i] for name, values in table.items()}, columns) for i in span)
        yield Piece(len(span), [item for item in made if item is not None])


def _item(cells: dict[str, object], columns: Columns) -> Item | None:
    prediction_id, label = cells[columns.prediction_id], value(cells[columns.label])
    if prediction_id is None or label is None:
        return None
    item: Item = {"prediction_id": str(prediction_id), "label": label}
    if columns.row and (row := value(cells[columns.row])) is not None:
        item["row"] = int(row) if isinstance(row, float) and row.is_integer() else row
    if columns.observed_at and (moment := cells[columns.observed_at]) is not None:
        item["observed_at"] = _moment(moment)
    return item


def value(cell: object) -> object:
    """A cell as JSON says it: text that spells a number or a truth value is one.

    >>> value("1.5"), value("True"), value("007"), value("")
    (1.5, True, '007', None)
    """
    if isinstance(cell, str):
        if _NUMBER.fullmatch(cell):
            return int(cell) if cell.lstrip("-").isdigit() else float(cell)
        return _BOOLEANS.get(cell.lower(), cell) if cell else None
    if isinstance(cell, float):
        return cell if cell == cell else None  # noqa: PLR0124 - NaN is how files say missing
    if isinstance(cell, decimal.Decimal):
        return float(cell)
    return cell


def _moment(cell: object) -> object:
    """A time as RFC 3339; one without a zone is UTC's, a number is Unix seconds."""
    if isinstance(cell, int | float):
        return dt.datetime.fromtimestamp(cell, dt.UTC).isoformat()
    if isinstance(cell, str) and _NUMBER.fullmatch(cell):
        return dt.datetime.fromtimestamp(float(cell), dt.UTC).isoformat()
    if isinstance(cell, dt.datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)).isoformat()
    return cell
