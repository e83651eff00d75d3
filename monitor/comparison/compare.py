"""`compare`: a reference (a file of counts, or of rows) and a file of rows, judged once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.comparison.aside import Aside
from monitor.comparison.choice import Choice, choose, columns_of
from monitor.comparison.count import count_file
from monitor.comparison.database import Database, Stage
from monitor.comparison.datafile import open_data
from monitor.comparison.dependence import axis_columns, depend
from monitor.comparison.learn import Draft, draft
from monitor.comparison.parts import Key, Parts
from monitor.comparison.together import Pool, tell_apart
from monitor.comparison.verdict import Comparison, Rule, Side, Standard, Together, judge
from monitor.errors import DataFileError
from monitor.profile.layout import Layout
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
class _Known:
    """The reference: from a file, or a draft of it from rows."""

    reference: Reference
    draft: Draft | None = None

    def filled(self, database: Database) -> Reference:
        """With what is in its cells."""
        return self.draft.filled(database) if self.draft else self.reference


def compare(
    reference: Path,
    current: Path,
    options: CompareOptions,
    *,
    created_at: float,
    stage: Stage | None = None,
) -> Comparison:
    """The comparison of two files; DataFileError or ReferenceFileError where one cannot be read."""
    of_rows = not _is_reference_file(reference)
    with Aside(wanted=of_rows and options.together) as aside, Database(stage) as database:
        if of_rows:
            made = _draft(database, reference, options, created_at)
            known = _Known(made.reference, made)
        else:
            known = _Known(load(reference))
        return _compared(database, reference, known, current, options, aside)


def _draft(database: Database, path: Path, options: CompareOptions, created_at: float) -> Draft:
    columns = options.parts.columns(open_table(path).columns)
    if not columns:
        raise DataFileError(f"{path}: no column is left to compare")
    file = open_data(database, path, tuple(dict.fromkeys(columns.values())))
    return draft(database, file, columns, created_at, options.task)


def _asked(reference: Reference, columns: Mapping[Key, str]) -> tuple[str, ...]:
    """Columns of the file of which rows are wanted, however many others there are."""
    keys = [(name, Role.FEATURE.value) for name in axis_columns(reference)]
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
    known: _Known,
    current: Path,
    options: CompareOptions,
    aside: Aside,
) -> Comparison:
    table = open_table(current).columns
    chosen = choose(known.reference, options.parts, table)
    layout, _ = columns_of(known.reference, chosen.keys)
    file = open_data(
        database, current, tuple(dict.fromkeys(chosen.columns.values())), _numeric(layout, chosen)
    )
    if not file.rows:
        raise DataFileError(f"{current}: there are no rows")
    asked = _asked(known.reference, chosen.columns) if options.together else ()
    counted = count_file(database, file, layout, chosen.columns, asked)
    database.forget()
    now = Pool(database, file, chosen.columns, counted.rows)
    # The model is asked before the reference's rows are counted: it fits meanwhile.
    together = _together(layout, known, now, options, aside)
    reference = known.filled(database)
    standard = Standard(*columns_of(reference, chosen.keys))
    readings = judge(standard, counted.counts, options.rule, counted.details)
    database.forget()  # all is counted, and where the model fits here it takes 100 MB
    return Comparison(
        Side(path, reference.rows, "" if known.draft else reference.digest),
        Side(current, file.rows),
        options.rule,
        standard,
        counted.counts,
        readings,
        together(),
        tuple(name for name, role in chosen.keys if (name, role) not in chosen.columns)[:MAX_NAMES],
        chosen.unexpected[:MAX_NAMES],
        chosen.left_out,
    )


def _numeric(layout: Layout, chosen: Choice) -> list[str]:
    """Columns of the file that are numbers in the reference."""
    return [
        chosen.columns[one.column.key]
        for one in layout.columns
        if one.column.kind is Kind.NUMERIC and one.column.key in chosen.columns
    ]


def _together(
    layout: Layout, known: _Known, now: Pool, options: CompareOptions, aside: Aside
) -> Callable[[], Together]:
    """Asks what all columns say together, if it is to be asked."""
    if not options.together:
        return lambda: Together(Status.INSUFFICIENT)
    if known.draft is None:
        return lambda: depend(known.reference, now, options.rule)
    then = Pool(now.database, known.draft.file, known.draft.columns, known.draft.rows)
    return tell_apart(layout, then, now, options.rule, aside)
