"""`compare`: a reference (a file of counts, or of rows) and a file of rows, judged once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.comparison.choice import choose, columns_of
from monitor.comparison.count import count_file
from monitor.comparison.database import Database, Stage
from monitor.comparison.datafile import open_data
from monitor.comparison.dependence import axis_columns, depend
from monitor.comparison.learn import learn
from monitor.comparison.parts import Key, Parts
from monitor.comparison.together import Pool, tell_apart
from monitor.comparison.verdict import Comparison, Rule, Side, Standard, Together, judge
from monitor.errors import DataFileError
from monitor.profile.reference import Reference, load
from monitor.profile.tables import open_table
from monitor.schema import Kind, Role
from monitor.snapshot import Status

MAX_NAMES = 20


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What a user may choose."""

    parts: Parts = field(default_factory=Parts)
    rule: Rule = field(default_factory=Rule)
    task: str | None = None
    together: bool = True  # ask the classifier


@dataclass(frozen=True, slots=True)
class _Learned:
    """The reference, and the rows it came from, if it came from rows."""

    reference: Reference
    pool: Pool | None = None


def compare(
    reference: Path,
    current: Path,
    options: CompareOptions,
    *,
    created_at: float,
    stage: Stage | None = None,
) -> Comparison:
    """The comparison of two files; DataFileError or ReferenceFileError where one cannot be read."""
    with Database(stage) as database:
        learned = _reference(database, reference, options, created_at)
        return _compared(database, reference, learned, current, options)


def _reference(
    database: Database, path: Path, options: CompareOptions, created_at: float
) -> _Learned:
    if _is_reference_file(path):
        return _Learned(load(path))
    columns = options.parts.columns(open_table(path).columns)
    if not columns:
        raise DataFileError(f"{path}: no column is left to compare")
    file = open_data(database, path, tuple(dict.fromkeys(columns.values())))
    learnt, rows = learn(database, file, columns, created_at, options.task)
    return _Learned(learnt, Pool(database, file, columns, rows))


def _asked(learned: _Learned, columns: Mapping[Key, str]) -> tuple[str, ...]:
    """Columns of the file of which rows are wanted, however many others there are."""
    keys = [(name, Role.FEATURE.value) for name in axis_columns(learned.reference)]
    return tuple(columns[key] for key in keys if key in columns)


def _is_reference_file(path: Path) -> bool:
    """By its first byte: neither CSV with a header nor Parquet begins with a brace."""
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror}") from None


def _compared(
    database: Database,
    path: Path,
    learned: _Learned,
    current: Path,
    options: CompareOptions,
) -> Comparison:
    reference = learned.reference
    table = open_table(current).columns
    chosen = choose(reference, options.parts, table)
    standard = Standard(*columns_of(reference, chosen.keys))
    numeric = [
        chosen.columns[one.column.key]
        for one in standard.layout.columns
        if one.column.kind is Kind.NUMERIC and one.column.key in chosen.columns
    ]
    file = open_data(database, current, tuple(dict.fromkeys(chosen.columns.values())), numeric)
    if not file.rows:
        raise DataFileError(f"{current}: there are no rows")
    asked = _asked(learned, chosen.columns) if options.together else ()
    counted = count_file(database, file, standard.layout, chosen.columns, asked)
    together = Together(Status.INSUFFICIENT)
    now = Pool(database, file, chosen.columns, counted.rows)
    if options.together and learned.pool is not None:
        together = tell_apart(standard.layout, learned.pool, now, options.rule)
    elif options.together:
        together = depend(reference, now, options.rule)
    return Comparison(
        Side(path, reference.rows, "" if learned.pool else reference.digest),
        Side(current, file.rows),
        options.rule,
        standard,
        counted.counts,
        judge(standard, counted.counts, options.rule, counted.details),
        together,
        tuple(name for name, role in chosen.keys if (name, role) not in chosen.columns)[:MAX_NAMES],
        chosen.unexpected[:MAX_NAMES],
        chosen.left_out,
    )
