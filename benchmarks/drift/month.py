"""A month without drift: 50 columns, 1,000 rows an hour, a window of one hour, a look each minute.

Rows are counted and judged by the code that runs live, and alerts are those of the real ledger with
its defaults. An hour's looks are screened together for candidates, by the same p-values at a wider
level, and only those are judged one by one: the decisions are the same (a test compares them). Half
of the columns hold missing values, so that presence is tested too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from monitor.alerting.conditions import DATA_QUALITY, Subject, conditions
from monitor.alerting.ledger import LedgerState, Timing, step
from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.snapshot import AlertState, Health, Performance, Status
from monitor.windows import Window

COLUMNS = 50
ROWS_AN_HOUR = 1000
REFERENCE_ROWS = 10_000
WINDOW_SECONDS, LOOK_SECONDS = 3600.0, 60.0
MINUTES_AN_HOUR, HOURS_A_DAY, DAYS_A_MONTH = 60, 24, 30
MISSING_SHARE = 0.05
POLICY = DriftPolicy(false_alerts_per_month=1.0)
SUBJECT, WELL = Subject("simulated", "1"), Health(observing=True)

Table = Mapping[str, Sequence[object]]
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
    names = np.array([f"k{i}" for i in range(30)], dtype=object)

    def one(column: int, rows: int) -> list[object]:
        if column >= 40:
            values = names[random.choice(30, rows, p=chances)]
        else:
            numbers = random.normal(size=rows) if column < 30 else random.lognormal(size=rows)
            values = numbers.astype(object)
        if column % 2:
            values[random.random(rows) < MISSING_SHARE] = None
        return list(values)

    return lambda rows: {f"c{column:02d}": one(column, rows) for column in range(COLUMNS)}


def shuffled_flights(seed: int) -> Source:
    """Rows of real flights with their weather and planes, drawn at random; the first 50 columns of
    two such draws beside each other."""
    from benchmarks.drift.flights import columns  # noqa: PLC0415 - a second of pandas, if asked for

    random = np.random.default_rng(seed)
    held = columns()
    rows_held = len(next(iter(held.values())))
    wanted = [(part, name) for part in (0, 1) for name in held][:COLUMNS]

    def draw(rows: int) -> Table:
        picks = random.integers(0, rows_held, (2, rows))
        return {f"{name}:{part}": held[name][picks[part]].tolist() for part, name in wanted}

    return draw


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
    for now, counts in _looks(source, judge, layout, hours, seed):
        looks += 1
        quiet = counts is None or judge.findings(counts, POLICY).quiet
        loud += not quiet
        readings = () if quiet or counts is None else judge.readings(counts, POLICY)
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
) -> Iterator[tuple[float, Counts | None]]:
    """The window of each minute after the first hour; None where it is no candidate for a
    finding."""
    random = np.random.default_rng([seed, 1])
    before: list[Counts] = []
    for hour in range(hours):
        minutes = _minutes(source, layout, random)
        if hour:
            both = [*before, *minutes]
            sums = np.cumsum([one.cells for one in both], axis=0)
            rows = np.cumsum([one.rows for one in both])
            windows = sums[MINUTES_AN_HOUR:] - sums[:-MINUTES_AN_HOUR]
            rows = rows[MINUTES_AN_HOUR:] - rows[:-MINUTES_AN_HOUR]
            worth = judge.candidates(windows, rows, POLICY).tolist()
            for minute in range(MINUTES_AN_HOUR):
                held = both[minute + 1 : minute + 1 + MINUTES_AN_HOUR]
                total = sum(held, layout.identity) if worth[minute] else None
                yield (hour * MINUTES_AN_HOUR + minute) * LOOK_SECONDS, total
        before = minutes


def _minutes(source: Source, layout: Layout, random: np.random.Generator) -> list[Counts]:
    """The counts of each minute of one hour; its rows are drawn at once."""
    arrivals = random.poisson(ROWS_AN_HOUR / MINUTES_AN_HOUR, MINUTES_AN_HOUR)
    ends = np.cumsum(arrivals).tolist()
    table = source(ends[-1])
    return [
        layout.count({name: column[start:end] for name, column in table.items()}, {}).counts
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]


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
            table["c00"] = [value + shift for value in table["c00"]]  # type: ignore[operator]  # c00 holds numbers
        window.add(minute * LOOK_SECONDS, layout.count(table, {}).counts)
        total = window.total(minute * LOOK_SECONDS)
        if minute >= MINUTES_AN_HOUR and not judge.findings(total, POLICY).quiet:
            reading = judge.readings(total, POLICY)[layout.index["c00", "feature"]]
            if reading.status is Status.DRIFT:
                return minute - MINUTES_AN_HOUR + 1.0
    return float("inf")
