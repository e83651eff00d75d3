"""A CSV or Parquet file as SQL sees it: which columns are plain numbers, which are names, and which
have to be read row by row.

Columns are called c0, c1, … by their place, so no name from outside is ever part of a query. A CSV
file is read once, into Arrow files (`spool`); a Parquet file is its own table. Columns are
typed as `profile.tables` types them: numbers in a CSV file by its first block, a Parquet file's by
its schema.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.comparison.database import Database, MisfitError, quoted
from monitor.comparison.spool import ROW, Spool, spool
from monitor.profile.tables import (
    NULL_TEXTS,
    CsvTable,
    ParquetTable,
    Table,
    number_or_text,
    open_table,
    require_columns,
)
from monitor.profile.values import Coded, Values

ROW_NUMBER = "file_row_number"
BUFFER_BYTES = 8 << 20  # of a CSV file, some of them for each thread; a line has to fit


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that can be asked in SQL, `FROM relation`."""

    table: Table
    relation: str
    numbers: dict[str, str]  # column → SQL of its number, NULL where missing or not finite
    names: dict[str, str]  # column → SQL of its text or truth
    places: dict[str, str]  # column → SQL of what it holds, of any type
    row: str  # SQL of a row's own number
    rows: int
    mixed: frozenset[str] = frozenset()  # of a CSV file: numbers with text among them
    spool: Spool | None = None  # of a CSV file: what was read of it

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.table.path

    def values(self, column: str, held: Values) -> Values:
        """What SQL gave of a column, as the table's own reader would have given it."""
        if column in self.mixed and isinstance(held, Coded):
            return Coded(held.codes, [number_or_text(value) for value in held.values])
        return held

    def source(self, columns: Sequence[str]) -> str:
        """A sub-query of plain columns, each under its place in `columns`: v0, v1, …"""
        either = self.numbers | self.names
        chosen = ", ".join(f"{either[name]} AS v{i}" for i, name in enumerate(columns))
        return f"(SELECT {chosen}, {self.row} AS row FROM {self.relation})"


def open_data(
    database: Database,
    path: Path,
    wanted: Sequence[str] | None = None,
    numeric: Sequence[str] = (),
) -> DataFile:
    """The file, with the columns that are wanted; `numeric` ones of a CSV file are read as numbers
    even where its first block holds text."""
    table = open_table(path)
    wanted = tuple(table.columns if wanted is None else wanted)
    require_columns(table, wanted)
    if isinstance(table, CsvTable):
        table.take_for_numbers(numeric)
        return _csv(database, table, wanted)
    assert isinstance(table, ParquetTable)  # noqa: S101 - there is no third
    return _parquet(database, table, wanted)


def _parquet(database: Database, table: ParquetTable, wanted: Sequence[str]) -> DataFile:
    import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    schema = pq.read_schema(table.path)
    numbers, names = {}, {}
    for name in wanted:
        at = table.columns.index(name)
        kind = schema.field(at).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_integer(kind):
            numbers[name] = f"c{at}::DOUBLE"
        elif pa.types.is_float32(kind) or pa.types.is_float64(kind):
            numbers[name] = f"CASE WHEN isfinite(c{at}) THEN c{at}::DOUBLE END"
        elif (
            pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        ):
            names[name] = f"c{at}"
    aliases = [f"c{i}" for i in range(len(table.columns))]
    own = ROW_NUMBER not in {name.lower() for name in table.columns}
    options = f", {ROW_NUMBER} = true" if own else ""
    aliases += ["row"] if own else []
    read = f"read_parquet({quoted(_literal(table.path))}{options})"
    relation = f"{read} AS t({', '.join(aliases)})"
    (rows,) = database.rows(
        table.path, f"counting {table.path.name}", f"SELECT count(*) FROM {read}"
    )
    places = {name: f"c{table.columns.index(name)}" for name in wanted}
    # A column may have the row number's name.
    row = "row" if own else "row_number() OVER ()"
    return DataFile(table, relation, numbers, names, places, row, rows[0])


def _csv(database: Database, table: CsvTable, wanted: Sequence[str]) -> DataFile:
    import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need

    pa.default_memory_pool().release_unused()  # 80 MB, of the block by which columns were typed
    path = table.path
    places = {name: f"c{table.columns.index(name)}" for name in wanted}
    numbers = [name for name in wanted if table.holds_numbers(name)]
    mixed: list[str] = []
    try:
        kept = _spooled(database, table, places, numbers)
    except MisfitError:
        # Text among numbers: whose, is found out only where it happens.
        counted = ", ".join(
            f"count({places[n]}) > count(try_cast({places[n]} AS DOUBLE))" for n in numbers
        )
        sql = f"SELECT {counted} FROM {_reading(table, ())}"
        (found,) = database.rows(path, f"reading {path.name}", sql)
        mixed = [name for name, text in zip(numbers, found, strict=True) if text]
        numbers = [name for name in numbers if name not in mixed]
        kept = _spooled(database, table, places, numbers)
    plain = {name: places[name] for name in numbers}
    names = {name: places[name] for name in wanted if not table.holds_numbers(name)}
    return DataFile(
        table, kept.relation, plain, names, places, ROW, kept.rows, frozenset(mixed), kept
    )


def _reading(table: CsvTable, numbers: Collection[str]) -> str:
    kinds = ("DOUBLE" if name in numbers else "VARCHAR" for name in table.columns)
    types = ", ".join(f"'c{i}': '{kind}'" for i, kind in enumerate(kinds))
    nulls = ", ".join(map(quoted, NULL_TEXTS))
    delimiter = "\\t" if ".tsv" in table.path.suffixes else ","
    return (
        f"read_csv({quoted(_literal(table.path))}, auto_detect = false, header = true, "
        f"delim = E'{delimiter}', quote = '\"', escape = '\"', "
        f"columns = {{{types}}}, nullstr = [{nulls}], buffer_size = {BUFFER_BYTES})"
    )


def _spooled(
    database: Database, table: CsvTable, places: Mapping[str, str], numbers: Collection[str]
) -> Spool:
    """The file's columns; MisfitError where text is among the numbers."""
    parts = [
        f"CASE WHEN isfinite({at}) THEN {at} END AS {at}" if name in numbers else at
        for name, at in places.items()
    ]
    chosen = ", ".join(parts) or "true"  # of a file that has none of them, its rows
    sql = f"SELECT {chosen} FROM {_reading(table, numbers)}"
    return spool(database, table.path, sql, tuple(places.values()))


def _literal(path: Path) -> str:
    """The path so that none of its characters is taken for a wildcard."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in str(path))
