"""A month without drift: 50 columns, 1,000 rows an hour, a window of one hour, a look each minute.

Rows are coded and judged by the code that runs live, and alerts are those of the real ledger with
its defaults. An hour's looks are screened together for candidates, by the same effects and p-values
at a wider level, and only those are counted whole and judged one by one: the decisions are the same
(a test compares them). Half of the columns hold missing values, so that presence is tested too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.parts import Parts, Table, count_parts, cut, joined
from monitor.alerting.conditions import DATA_QUALITY, Subject, conditions
from monitor.alerting.ledger import LedgerState, Timing, step
from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.layout import Counted, Layout
from monitor.profile.values import Coded, Values
from monitor.snapshot import AlertState, Health, Performance, Reading, Status
from monitor.windows import Window

COLUMNS = 50
ROWS_AN_HOUR = 1000
REFERENCE_ROWS = 10_000
WINDOW_SECONDS, LOOK_SECONDS = 3600.0, 60.0
MINUTES_AN_HOUR, HOURS_A_DAY, DAYS_A_MONTH = 60, 24, 30
MISSING_SHARE = 0.05
POLICY = DriftPolicy(false_alerts_per_month=1.0)
SUBJECT, WELL = Subject("simulated", "1"), Health(observing=True)

Source = Callable[[int], Table]  # so many fresh rows


@dataclass(frozen=True, slots=True)
class Month:
    """What one simulated month raised."""

    kind: str
    seed: int
    days: float
    looks: int
    columns: int
    drift_alerts: int
    quality_alerts: int
    loud_looks: int  # looks that found drift or faults, of which alerts are made
    what: tuple[str, ...]
    seconds: float

    @property
    def alerts(self) -> int:
        """Alerts that fired."""
        return self.drift_alerts + self.quality_alerts


def independent(seed: int) -> Source:
    """30 normal and 10 lognormal columns, and 10 of 30 categories; none knows of another."""
    random = np.random.default_rng(seed)
    chances = 1.0 / np.arange(1, 31)
    chances /= chances.sum()
    names = [f"k{i}" for i in range(30)]

    def one(column: int, rows: int) -> Values:
        gone = random.random(rows) < MISSING_SHARE if column % 2 else np.zeros(rows, np.bool_)
        if column >= 40:
            return Coded(np.where(gone, -1, random.choice(30, rows, p=chances)), names)
        numbers = random.normal(size=rows) if column < 30 else random.lognormal(size=rows)
        return np.where(gone, np.nan, numbers)

    return lambda rows: {f"c{column:02d}": one(column, rows) for column in range(COLUMNS)}


def shuffled_flights(seed: int) -> Source:
    """Rows of real flights with their weather and planes, drawn at random; the first 50 columns of
    two such draws beside each other."""
    from benchmarks.drift.flights import columns  # noqa: PLC0415 - a second of pandas, if asked for

    random = np.random.default_rng(seed)
    held = columns()
    rows_held = min(map(len, held.values()))
    wanted = [(part, name) for part in (0, 1) for name in held][:COLUMNS]

    def draw(rows: int) -> Table:
        picks = random.integers(0, rows_held, (2, rows))
        return {f"{name}:{part}": _picked(held[name], picks[part]) for part, name in wanted}

    return draw


def _picked(values: Values, picks: NDArray[np.int64]) -> Values:
    if not isinstance(values, Coded):
        return np.asarray(values)[picks]
    if len(values.values) <= len(picks):
        return Coded(values.codes[picks], values.values)
    used, codes = np.unique(values.codes[picks], return_inverse=True)
    names = [values.values[code] for code in used.tolist() if code >= 0]
    return Coded(codes - int(used[0] < 0), names)


SOURCES: Mapping[str, Callable[[int], Source]] = {
    "independent": independent,
    "flights": shuffled_flights,
}


def simulate(kind: str, seed: int, days: float) -> Month:
    """So many days without drift, after an hour in which the window fills."""
    began = perf_counter()
    source = SOURCES[kind](seed)
    reference = build_from_columns(Rows(source(REFERENCE_ROWS), {}), created_at=0.0)
    layout, judge = reference.layout, Judge(reference)
    ledger, fired, loud, looks = LedgerState(), list[str](), 0, 0
    hours = 1 + round(days * HOURS_A_DAY)
    for now, held in _looks(source, judge, layout, hours, seed):
        looks += 1
        readings: tuple[Reading, ...] = ()
        if held is not None:
            products = held.details.products
            if not judge.findings(held.counts, POLICY, products).quiet:
                readings = judge.readings(held.counts, POLICY, held.details)
        loud += bool(readings)
        wrong = conditions(SUBJECT, readings, Performance(), WELL, now)
        ledger, changed = step(ledger, wrong, now, Timing())
        fired += [
            f"{alert.labels['alertname']} {alert.annotations['description']}"
            for alert in changed
            if alert.state is AlertState.FIRING
        ]
    faults = sum(DATA_QUALITY in one for one in fired)
    return Month(
        kind=kind,
        seed=seed,
        days=days,
        looks=looks,
        columns=len(layout.columns),
        drift_alerts=len(fired) - faults,
        quality_alerts=faults,
        loud_looks=loud,
        what=tuple(fired),
        seconds=perf_counter() - began,
    )


def _looks(
    source: Source, judge: Judge, layout: Layout, hours: int, seed: int
) -> Iterator[tuple[float, Counted | None]]:
    """The window of each minute after the first hour; None where it is no candidate for a
    finding."""
    random = np.random.default_rng([seed, 1])
    before = _Hour.of(source, layout, random)
    window = _Sums(before.parts)
    for hour in range(1, hours):
        now = _Hour.of(source, layout, random)
        worth = judge.candidates(*window.move(before.parts, now.parts)).tolist()
        for minute in range(MINUTES_AN_HOUR):
            held = layout.count(now.window(before, minute), {}) if worth[minute] else None
            yield (hour * MINUTES_AN_HOUR + minute) * LOOK_SECONDS, held
        before = now


@dataclass(frozen=True, slots=True, eq=False)
class _Hour:
    """An hour's rows, drawn at once, and the counts of each of its minutes."""

    table: Table
    ends: list[int]
    parts: Parts

    @classmethod
    def of(cls, source: Source, layout: Layout, random: np.random.Generator) -> _Hour:
        """The next one."""
        arrivals = random.poisson(ROWS_AN_HOUR / MINUTES_AN_HOUR, MINUTES_AN_HOUR)
        table = source(int(arrivals.sum()))
        parts = count_parts(layout, table, arrivals.tolist())
        return cls(table, np.cumsum(arrivals).tolist(), parts)

    def window(self, before: _Hour, minute: int) -> Table:
        """The rows of the hour that ends with this minute of it."""
        old = cut(before.table, before.ends[minute], before.ends[-1])
        return joined(old, cut(self.table, 0, self.ends[minute]))


class _Sums:
    """What the window holds, minute by minute."""

    def __init__(self, first: Parts) -> None:
        self._cells, self._rows = first.cells.sum(axis=0), first.rows.sum()
        self._products = None if first.products is None else first.products.sum(axis=0)

    def move(
        self, before: Parts, now: Parts
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], DriftPolicy, NDArray[np.float64] | None]:
        """The sums after each of an hour's minutes: what `Judge.candidates` asks for."""
        cells = self._cells + np.cumsum(now.cells - before.cells, axis=0)
        rows = self._rows + np.cumsum(now.rows - before.rows)
        self._cells, self._rows = cells[-1], rows[-1]
        products = None
        if self._products is not None and now.products is not None and before.products is not None:
            products = self._products + np.cumsum(now.products - before.products, axis=0)
            self._products = products[-1]
        return cells, rows, POLICY, products


def minutes_to_find(seed: int, trials: int, shift: float = 0.5) -> list[float]:
    """Minutes from the first shifted row to `drift` of the one column, of 50, that moved; infinite
    where two windows went by."""
    return [_delay(seed + trial, shift) for trial in range(trials)]


def _delay(seed: int, shift: float) -> float:
    source = independent(seed)
    reference = build_from_columns(Rows(source(REFERENCE_ROWS), {}), created_at=0.0)
    layout, judge = reference.layout, Judge(reference)
    window = Window(layout.identity, WINDOW_SECONDS, LOOK_SECONDS)
    random = np.random.default_rng([seed, 2])
    for minute in range(3 * MINUTES_AN_HOUR):
        rows = max(int(random.poisson(ROWS_AN_HOUR / MINUTES_AN_HOUR)), 1)
        table = dict(source(rows))
        if minute >= MINUTES_AN_HOUR:
            table["c00"] = np.asarray(table["c00"]) + shift
        window.add(minute * LOOK_SECONDS, layout.count(table, {}).counts)
        total = window.total(minute * LOOK_SECONDS)
        if minute >= MINUTES_AN_HOUR and not judge.findings(total, POLICY).quiet:
            reading = judge.readings(total, POLICY)[layout.index["c00", "feature"]]
            if reading.status is Status.DRIFT:
                return minute - MINUTES_AN_HOUR + 1.0
    return float("inf")
