"""Performance as series: the whole, then segment by segment, then class by class.

Knows the part of the Snapshot that it is about, and the catalog. What is not known is absent.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.catalog import PERFORMANCE_METRICS
from exporters.sample import Block, Labels, Series, counter, gauge
from monitor.snapshot import (
    Performance,
    PerformanceReading,
    PerformanceTotals,
    SegmentReading,
    Status,
)

_EVERY_ROW = (("segment", "all"),)


def performance_series(performance: Performance) -> Iterator[tuple[str, Series]]:
    """All that is about every row."""
    for source, reading in _sources(performance):
        yield from _metrics(reading, source, _EVERY_ROW)
    if performance.task is not None:
        yield from _totals(performance.task, performance.totals, _EVERY_ROW)
        yield from gauge("error_shift_detected", int(performance.shift is not None))
    ratio = performance.by_prediction_time.labelled_ratio
    yield from gauge("labelled_ratio", ratio, _EVERY_ROW)
    yield from gauge("labels_overdue_rows", performance.overdue.rows if performance.overdue else 0)
    for metric, threshold in performance.thresholds.items():
        yield from gauge("performance_threshold", threshold, (("metric", metric),))


def segment_blocks(performance: Performance) -> Iterator[Block]:
    """One block a segment."""
    for segment in performance.segments:
        yield list(_segment(performance.task, segment))


def class_blocks(performance: Performance) -> Iterator[Block]:
    """The confusion; then one block a class, so that a model of ten thousand classes loses classes
    and not columns."""
    if performance.realised.status is not Status.INSUFFICIENT:
        yield [
            (
                "confusion_rows",
                Series("", (("label", one.label), ("prediction", one.prediction)), n),
            )
            for one in performance.realised.confusion
            for n in (one.rows,)
        ]
    blocks: dict[str, Block] = {}
    for source, reading in _sources(performance):
        for name, by_class in reading.by_class.items():
            if name in PERFORMANCE_METRICS:
                for class_, value in by_class.items():
                    labels = (("source", source), *_EVERY_ROW, ("class", class_))
                    blocks.setdefault(class_, []).extend(gauge(name, value, labels))
    yield from blocks.values()


def _sources(performance: Performance) -> Iterator[tuple[str, PerformanceReading]]:
    if performance.realised.status is not Status.INSUFFICIENT:
        yield "realised", performance.realised
    if performance.reference is not None:
        yield "reference", performance.reference
    if performance.estimated is not None and performance.estimated.status is Status.OK:
        yield "estimated", performance.estimated


def _metrics(
    reading: PerformanceReading, source: str, segment: Labels
) -> Iterator[tuple[str, Series]]:
    labels = (("source", source), *segment)
    for name, value in reading.metrics.items():
        if name in PERFORMANCE_METRICS:
            yield from gauge(name, value, labels)
    for name, (low, high) in reading.intervals.items():
        if name in PERFORMANCE_METRICS:
            bounded = (("metric", name), *labels)
            yield from gauge("performance_lower_bound", low, bounded)
            yield from gauge("performance_upper_bound", high, bounded)


def _segment(task: str | None, segment: SegmentReading) -> Iterator[tuple[str, Series]]:
    labels = (("segment", segment.name),)
    if segment.realised.status is not Status.INSUFFICIENT:
        yield from _metrics(segment.realised, "realised", labels)
    if segment.reference is not None:
        yield from _metrics(segment.reference, "reference", labels)
    if task is not None:
        yield from _totals(task, segment.totals, labels)
    yield from gauge("labelled_ratio", segment.by_prediction_time.labelled_ratio, labels)
    if segment.drift not in (None, Status.INSUFFICIENT):
        yield from gauge("segment_columns_drifted", len(segment.drifted), labels)


def _totals(task: str, totals: PerformanceTotals, segment: Labels) -> Iterator[tuple[str, Series]]:
    yield from counter("labels_total", totals.labels, segment)
    if task == "regression":
        yield from counter("absolute_error_total", totals.absolute_error, segment)
        yield from counter("squared_error_total", totals.squared_error, segment)
    else:
        yield from counter("correct_predictions_total", totals.correct, segment)
