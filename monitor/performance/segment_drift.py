"""Drift of each segment against its own rows in the reference.

A segment is not like the whole, so the whole's reference says nothing about it. Memory is bounded
by the number of cells that all segments' panes hold; knows no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.performance.segments import Segment
from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.records.batch import Batch
from monitor.snapshot import Reading, Status
from monitor.windows import Window

MOST_PANES = 12  # a segment's window moves in larger steps than the whole's
MOST_CELLS = 4_000_000  # 32 MB over all segments and panes
LEAST_REFERENCE_ROWS = 200
JUDGE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What one look at a segment found."""

    status: Status
    drifted: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    layout: Layout
    counts: Counts


class SegmentDrift:
    """Windows and judges of those segments that the reference knows."""

    def __init__(self, reference: Reference, window_seconds: float, pane_seconds: float) -> None:
        self._layout = reference.layout
        panes = coarse_panes(round(window_seconds / pane_seconds))
        cells = max(len(reference.counts.cells) * (panes + 1), 1)
        known = [one for one in reference.segments if one.counts.rows >= LEAST_REFERENCE_ROWS][
            : MOST_CELLS // cells
        ]
        self._kept = _certain(reference)
        self._judges = {
            Segment(one.column, one.value): Judge(_baseline(self._layout, self._kept, one.counts))
            for one in known
        }
        self.windows = {
            segment: Window(self._layout.identity, window_seconds, window_seconds / panes)
            for segment in self._judges
        }
        self._judged: dict[Segment, Judged] = {}
        self._judged_at = -JUDGE_SECONDS

    def __len__(self) -> int:
        """Segments that are judged: as many more families of tests."""
        return len(self._judges)

    def __contains__(self, segment: object) -> bool:
        return segment in self.windows

    def keep(self, segments: frozenset[Segment]) -> None:
        """Judge no others than these."""
        for segment in set(self._judges) - segments:
            del self._judges[segment], self.windows[segment]

    def observe(self, segment: Segment, part: Batch) -> None:
        """Count a segment's rows, all of one pane."""
        window = self.windows.get(segment)
        if window is not None:
            counted = self._layout.count(part.features, part.outputs, part.probabilities)
            window.add(part.at[0], counted.counts)

    def judge(self, now: float, policy: DriftPolicy) -> Mapping[Segment, Judged]:
        """Every segment's state; looked at anew each ten seconds."""
        if not 0 <= now - self._judged_at < JUDGE_SECONDS:
            self._judged_at = now
            self._judged = {
                segment: self._look(judge, self._cut(self.windows[segment].total(now)), policy)
                for segment, judge in self._judges.items()
            }
        return self._judged

    def _look(self, judge: Judge, counts: Counts, policy: DriftPolicy) -> Judged:
        if counts.rows < policy.min_rows:
            return Judged(Status.INSUFFICIENT)
        if not policy.columns and judge.findings(counts, policy).quiet:
            return Judged(Status.OK)
        readings = judge.readings(counts, policy)
        drifted = tuple(one for one in readings if one.status is Status.DRIFT)
        return Judged(Status.DRIFT if drifted else Status.OK, drifted)

    def _cut(self, counts: Counts) -> Counts:
        return _cut(self._layout, self._kept, counts)


def _certain(reference: Reference) -> NDArray[np.int64]:
    """Columns whose categories all have cells.

    Of a column with a long tail the whole reference corrects what its counts lead one to expect; a
    segment has too few rows for that, and new categories in it would be no news.
    """
    return np.array(
        [i for i, profile in enumerate(reference.layout.columns) if profile.weight == 1.0],
        dtype=np.int64,
    )


def _baseline(layout: Layout, kept: NDArray[np.int64], counts: Counts) -> _Baseline:
    """The kept columns with the segment's own counts in their cells."""
    moments = counts.moments.tolist()
    profiles = [
        replace(
            layout.columns[i], cells=counts.cells[layout.cell_slice(i)], moments=tuple(moments[i])
        )
        for i in kept.tolist()
    ]
    return _Baseline(Layout(profiles), _cut(layout, kept, counts))


def _cut(layout: Layout, kept: NDArray[np.int64], counts: Counts) -> Counts:
    parts = [counts.cells[layout.cell_slice(i)] for i in kept.tolist()]
    cells = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64, copy=False)
    return Counts(counts.rows, cells, counts.moments[kept])


def coarse_panes(panes: int) -> int:
    """The largest number of panes that divides `panes` and is at most twelve.

    >>> coarse_panes(60), coarse_panes(7), coarse_panes(13)
    (12, 7, 1)
    """
    return next(count for count in range(min(MOST_PANES, panes), 0, -1) if panes % count == 0)
