"""`backtest`: a log's panes through the engine that runs live, with the log's own clock.

The engine looks at the end of a pane, up to 48 times a window, with the level of the live sidecar,
which looks about once a second: what it decides at these moments is what the sidecar would have
decided then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor.comparison.choice import choose, restricted
from monitor.comparison.database import Database, Stage
from monitor.comparison.datafile import open_data
from monitor.comparison.log import Log, Span
from monitor.comparison.parts import Parts
from monitor.comparison.record import Raised, Record
from monitor.engine import Engine, EngineSettings
from monitor.errors import DataFileError
from monitor.profile.reference import Reference
from monitor.profile.tables import open_table
from monitor.schema import Kind
from monitor.snapshot import Health

MOST_LOOKS = 1_000_000
LOOKS_A_WINDOW = 48  # so a movement is found within 1/48 of a window of when it could be
JUST_BEFORE = 1e-3  # of a pane's end


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a replay of a log found."""

    log: Path
    span: Span
    digest: str
    settings: EngineSettings
    looks: int
    insufficient: int  # looks with fewer rows than an answer needs
    raised: tuple[Raised, ...]
    record: Record
    absent: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What a user may choose."""

    time: str
    parts: Parts = field(default_factory=Parts)
    settings: EngineSettings = field(default_factory=EngineSettings)


def backtest(
    path: Path, reference: Reference, options: BacktestOptions, stage: Stage | None = None
) -> Backtest:
    """Replays a log; DataFileError where it cannot be."""
    table = open_table(path).columns
    chosen = choose(reference, options.parts, table)
    wanted = tuple(dict.fromkeys([options.time, *chosen.columns.values()]))
    numeric = [
        chosen.columns[one.column.key]
        for one in reference.columns
        if one.column.kind is Kind.NUMERIC and one.column.key in chosen.columns
    ]
    settings, step = _settings(options)
    pane_seconds = options.settings.pane_seconds
    with Database(stage) as database:
        file = open_data(database, path, wanted, numeric)
        log = Log(database, file, options.time, chosen.columns)
        span = log.span()
        looks = int((span.end - span.start) / (settings.pane_seconds * step)) + 2
        if looks > MOST_LOOKS:
            raise DataFileError(f"{path}: {looks:,} looks are too many; make the window longer")
        record = Record(looks)
        engine = Engine(settings, restricted(reference, chosen.keys))
        _Replay(engine, settings, step, JUST_BEFORE * pane_seconds, record).run(log)
    return Backtest(
        path,
        span,
        reference.digest,
        replace(settings, pane_seconds=pane_seconds),
        record.looks,
        record.insufficient,
        record.raised(),
        record,
        tuple(name for name, role in chosen.keys if (name, role) not in chosen.columns),
        chosen.left_out,
    )


def _settings(options: BacktestOptions) -> tuple[EngineSettings, int]:
    """The engine's settings, and how many of its panes lie between two looks.

    Nobody looks in between: so these are one pane, where the window is a whole number of such; and
    time passes all the same.
    """
    settings = options.settings
    panes = round(settings.window_seconds / settings.pane_seconds)
    step = max(1, math.ceil(panes / LOOKS_A_WINDOW))
    gap = max(settings.timing.gap_seconds, settings.pane_seconds * step)
    settings = replace(settings, timing=replace(settings.timing, gap_seconds=gap))
    if panes % step == 0:
        settings, step = replace(settings, pane_seconds=settings.pane_seconds * step), 1
    if options.parts.target is not None:
        return settings, step
    # Without labels in the log, that none came is no news.
    rules = replace(settings.performance, label_delay_seconds=None, thresholds={})
    return replace(settings, performance=rules), step


class _Replay:
    """One engine, and how far it is in the log."""

    def __init__(
        self, engine: Engine, settings: EngineSettings, step: int, before: float, record: Record
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._step = step
        self._before = before  # seconds from a look to its pane's end
        self._record = record
        self._health = Health(observing=True)

    def run(self, log: Log) -> None:
        """All of the log, pane by pane."""
        at: int | None = None
        for part in log.slices(self._settings.pane_seconds, self._settings.performance.segments):
            if at is not None:
                self._look_until(at, part.pane)
            at = part.pane
            self._engine.observe(part.batch)
            if part.joined:
                self._engine.label(part.joined)
        if at is not None:
            self._look(at)

    def _look_until(self, at: int, pane: int) -> None:
        """Looks that are due at the ends of panes from `at` to the one before `pane`."""
        first = at + (-(at + 1)) % self._step
        for ended in range(first, pane, self._step):
            self._look(ended)

    def _look(self, pane: int) -> None:
        end = (pane + 1) * self._settings.pane_seconds
        found = self._engine.evaluate(end - self._before, self._health)
        self._record.take(end, found, self._settings.min_rows)
