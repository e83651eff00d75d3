"""What of the desk's counts outlives the process: each kind of window, and how one of its panes is
written and read.

Knows no document as a whole, and no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from monitor.performance.desk import PerformanceDesk
from monitor.performance.label_drift import LabelDrift
from monitor.performance.segments import Segment
from monitor.profile.counts import Counts
from monitor.profile.detail_document import packed, unpacked
from monitor.statistics.estimation.class_sums import ClassSums
from monitor.statistics.estimation.error_sums import ErrorSums
from monitor.statistics.sums_document import read_sums, render_sums
from monitor.windows import Window


@dataclass(frozen=True, slots=True)
class Counted:
    """A desk and the drift of its labels; `basis` is what their counts rest on."""

    desk: PerformanceDesk
    labels: LabelDrift | None
    basis: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of window: all there are by segment, the one of a segment, and its panes."""

    windows: Callable[[Counted], Iterator[tuple[Segment | None, Window[Any]]]]
    window: Callable[[Counted, Segment | None], Window[Any] | None]
    render: Callable[[Any], Any]
    read: Callable[[Counted, Any], Any]
    rests_on: frozenset[str] = frozenset()  # parts of the basis
    of_labels: bool = False  # rests on all of it; the journal tells what a checkpoint lacks


def _predicted(counted: Counted) -> Iterator[tuple[Segment | None, Window[Any]]]:
    yield None, counted.desk.predicted
    yield from counted.desk.predicted_of.items()


def _realised(clock: str) -> Callable[[Counted], Iterator[tuple[Segment | None, Window[Any]]]]:
    def windows(counted: Counted) -> Iterator[tuple[Segment | None, Window[Any]]]:
        if counted.desk.realised is not None:
            yield None, getattr(counted.desk.realised, clock)
        for segment, realised in counted.desk.realised_of.items():
            yield segment, getattr(realised, clock)

    return windows


def _realised_in(clock: str) -> Callable[[Counted, Segment | None], Window[Any] | None]:
    def window(counted: Counted, segment: Segment | None) -> Window[Any] | None:
        desk = counted.desk
        realised = desk.realised if segment is None else desk.realised_in(segment)
        found: Window[Any] | None = getattr(realised, clock, None)
        return found

    return window


def _labels(counted: Counted) -> Iterator[tuple[Segment | None, Window[Any]]]:
    if counted.labels is not None:
        yield None, counted.labels.window


def _estimated(counted: Counted) -> Iterator[tuple[Segment | None, Window[Any]]]:
    if counted.desk.estimates is not None:
        yield None, counted.desk.estimates.window


def _drift(counted: Counted) -> Iterator[tuple[Segment | None, Window[Any]]]:
    if counted.desk.drift is not None:
        yield from counted.desk.drift.windows.items()


def _whole(
    windows: Callable[[Counted], Iterator[tuple[Segment | None, Window[Any]]]],
) -> Callable[[Counted, Segment | None], Window[Any] | None]:
    def window(counted: Counted, segment: Segment | None) -> Window[Any] | None:
        return dict(windows(counted)).get(segment)

    return window


def _render_counts(counts: Counts) -> list[Any]:
    return [counts.rows, packed(counts.cells), packed(counts.moments)]


def _read_counts(like: Counts, document: Any) -> Counts:  # noqa: ANN401 - any JSON
    rows, cells, moments = document
    return Counts(
        int(rows),
        unpacked(cells, np.int64).reshape(like.cells.shape),
        unpacked(moments, np.float64).reshape(like.moments.shape),
    )


def _read_label_counts(counted: Counted, document: Any) -> Counts:  # noqa: ANN401 - any JSON
    assert counted.labels is not None  # noqa: S101 - it has the window
    return _read_counts(counted.labels.window.identity, document)


def _read_drift(counted: Counted, document: Any) -> Counts:  # noqa: ANN401 - any JSON
    assert counted.desk.drift is not None  # noqa: S101 - it has the window
    like = next(iter(counted.desk.drift.windows.values()))
    return _read_counts(like.identity, document)


def _read_realised(counted: Counted, document: Any) -> Any:  # noqa: ANN401 - any JSON
    assert counted.desk.task is not None  # noqa: S101 - it has the window
    return read_sums(counted.desk.task, document)


def _render_estimate(sums: ClassSums | ErrorSums) -> list[Any]:
    values = (getattr(sums, one.name) for one in fields(sums))
    return [packed(one) if isinstance(one, np.ndarray) else one for one in values]


def _read_estimate(counted: Counted, document: Any) -> ClassSums | ErrorSums:  # noqa: ANN401 - any JSON
    assert counted.desk.estimates is not None  # noqa: S101 - it has the window
    like = counted.desk.estimates.window.identity
    held = (getattr(like, one.name) for one in fields(like))
    values: list[Any] = [
        unpacked(cells, np.float64).reshape(one.shape)
        if isinstance(one, np.ndarray)
        else type(one)(cells)
        for one, cells in zip(held, document, strict=True)
    ]
    return type(like)(*values)


SEGMENTED = frozenset({"segments", "reference"})  # which values are segments of their own

KINDS: Mapping[str, Kind] = {
    "predicted": Kind(
        _predicted,
        lambda counted, segment: (
            counted.desk.predicted if segment is None else counted.desk.predicted_in(segment)
        ),
        int,
        lambda _, document: int(document),
        frozenset({"window"}),
    ),
    **{
        clock: Kind(
            _realised(clock), _realised_in(clock), render_sums, _read_realised, of_labels=True
        )
        for clock in ("by_arrival", "by_prediction")
    },
    "labels": Kind(_labels, _whole(_labels), _render_counts, _read_label_counts, of_labels=True),
    "estimated": Kind(
        _estimated,
        _whole(_estimated),
        _render_estimate,
        _read_estimate,
        frozenset({"window", "reference"}),
    ),
    "drift": Kind(
        _drift,
        _whole(_drift),
        _render_counts,
        _read_drift,
        frozenset({"window"}),
    ),
}
