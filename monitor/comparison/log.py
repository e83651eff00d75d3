"""A log of served rows as an engine takes them: panes in the order of their time, a batch each.

The log is sorted by SQL, on disk where it is large, and streamed: never more than some rows are
held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.comparison.parts import Key, sides
from monitor.errors import DataFileError
from monitor.profile import values as read
from monitor.profile.tables import arrow_values
from monitor.profile.values import Values
from monitor.records.batch import PREDICTION, Batch
from monitor.records.label import Joined, Label, Prediction

Floats = NDArray[np.float64]

LARGEST_SECONDS = 1e11  # the year 5138; larger numbers count milliseconds or less


@dataclass(frozen=True, slots=True)
class Span:
    """When a log begins and ends, in Unix seconds, and how many of its rows say when they were."""

    rows: int
    timed: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of one pane, and their labels where the log has them."""

    pane: int
    batch: Batch
    joined: tuple[Joined, ...]


class Log:
    """A data file with a column of times."""

    def __init__(
        self, database: Database, file: DataFile, time: str, columns: Mapping[Key, str]
    ) -> None:
        self._database = database
        self._file = file
        self._columns = dict(columns)
        self._names = list(dict.fromkeys(columns.values()))
        self._at = _seconds(file, time)

    def span(self) -> Span:
        """One look at the times; DataFileError where there is none."""
        sql = f"SELECT count(*), count(moment), min(moment), max(moment) FROM ({self._select()})"
        (found,) = self._database.rows(self._file.path, f"reading {self._file.path.name}", sql)
        rows, timed, start, end = found
        if not timed:
            raise DataFileError(f"{self._file.path}: no row has a time that can be read")
        if max(abs(start), abs(end)) > LARGEST_SECONDS:
            raise DataFileError(
                f"{self._file.path}: its times are no Unix seconds: they reach {end:.6g}"
            )
        return Span(rows, timed, start, end)

    def slices(self, pane_seconds: float, segments: Sequence[str]) -> Iterator[Slice]:
        """All rows that have a time, in its order."""
        sql = f"SELECT * FROM ({self._select()}) WHERE moment IS NOT NULL ORDER BY moment"
        for table in self._database.batches(
            self._file.path, f"replaying {self._file.path.name}", sql
        ):
            at = table.column(0).to_numpy()
            values = {
                name: self._file.values(name, arrow_values(table.column(i + 1)))
                for i, name in enumerate(self._names)
            }
            panes = np.floor(at / pane_seconds).astype(np.int64)
            cuts = np.flatnonzero(np.diff(panes)) + 1
            for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(at)], strict=True):
                if stop > start:
                    part = {
                        key: values[column][start:stop] for key, column in self._columns.items()
                    }
                    yield _slice(int(panes[start]), at[start:stop].tolist(), part, segments)

    def _select(self) -> str:
        chosen = [f"{self._at} AS moment"]
        chosen += [f"{self._file.places[name]} AS v{i}" for i, name in enumerate(self._names)]
        return f"SELECT {', '.join(chosen)} FROM {self._file.relation}"


def _seconds(file: DataFile, time: str) -> str:
    """SQL of a row's time in Unix seconds; NULL where it has none that can be read."""
    place = file.places[time]
    if time in file.numbers:
        return file.numbers[time]
    if time in file.names:
        # With an offset it is that moment; without, it is UTC.
        return f"coalesce(epoch(try_cast({place} AS TIMESTAMPTZ)), try_cast({place} AS DOUBLE))"
    return f"epoch(try_cast({place} AS TIMESTAMPTZ))"


def _slice(
    pane: int, at: list[float], part: Mapping[Key, Values], segments: Sequence[str]
) -> Slice:
    one = sides(part)
    rows = len(at)
    batch = Batch(
        [""] * rows,
        [0] * rows,
        at,
        _sequences(one.features),
        _sequences(one.outputs),
        _sequences(one.probabilities),
    )
    if one.labels is None or PREDICTION not in one.outputs:
        return Slice(pane, batch, ())
    return Slice(pane, batch, tuple(_joined(at, part, segments)))


def _sequences(columns: Mapping[str, Values]) -> dict[str, Any]:
    return dict(columns)


def _joined(
    at: list[float], part: Mapping[Key, Values], segments: Sequence[str]
) -> Iterator[Joined]:
    """Each row's prediction with its label; those that lack either say nothing."""
    one = sides(part)
    truths, answers = _plain(one.labels), _plain(one.outputs[PREDICTION])
    chances = {name: _plain(column) for name, column in one.probabilities.items()}
    named = {name: _plain(one.features[name]) for name in segments if name in one.features}
    for row, (when, truth, answer) in enumerate(zip(at, truths, answers, strict=True)):
        if not (_known(truth) and _known(answer)):
            continue
        prediction = Prediction(
            "",
            row,
            when,
            answer,
            {name: float(column[row]) for name, column in chances.items() if _known(column[row])},
            {
                name: text
                for name, column in named.items()
                if (text := read.category(column[row])) not in {read.MISSING, read.INVALID}
            },
        )
        yield Joined(prediction, Label("", row, truth, when, when))


def _plain(column: Values | None) -> list[Any]:
    if column is None:
        return []
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _known(value: object) -> bool:
    return value is not None and value == value and value != ""  # noqa: PLR0124 - NaN is unequal
