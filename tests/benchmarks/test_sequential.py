"""The benchmark of the sequential detectors: what it counts, and that it hears a difference."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmarks import sequential
from benchmarks.drift import streams
from benchmarks.drift.streams import CHANGE_AT, RATES, Record


def record(*found: tuple[int, ...]) -> Record:
    return Record("ADWIN", RATES[0], len(found), found, 1.0)


def test_delays_misses_and_false_alarms_are_counted_apart() -> None:
    one = record((10, 20, CHANGE_AT + 100, CHANGE_AT + 900), (CHANGE_AT,), (4999,))
    assert one.delay == 50
    assert one.missed == 1
    assert one.false_alarms == 1
    assert math.isnan(record((3,)).delay)


def test_a_stream_changes_where_it_should() -> None:
    held = streams.stream((0.1, 0.9), 4)
    assert len(held) == 2 * CHANGE_AT
    assert set(held) == {0.0, 1.0}
    assert sum(held[:CHANGE_AT]) / CHANGE_AT < 0.15
    assert sum(held[CHANGE_AT:]) / CHANGE_AT > 0.85


def test_a_detection_that_is_not_rivers_is_reported() -> None:
    ours = record((5100,), (5200,))
    assert sequential.differences([ours], [ours]) == []
    assert sequential.differences([ours], [replace(ours, found=((5100,),), streams=1)]) == []
    other = replace(ours, found=((5100,), (5201,)))
    assert len(sequential.differences([ours], [other])) == 1


def test_the_table_has_a_row_a_detector_and_a_cell_a_change() -> None:
    ours = [replace(record((5100,)), rates=rates) for rates in RATES]
    silent = [replace(one, found=((),)) for one in ours]
    header, rows = sequential.table(ours, silent)
    assert rows[0] == ("Sidelight ADWIN", *["100 / 0 / 0"] * 4, "1.0")
    assert rows[1] == ("river ADWIN", *["– / 1 / 0"] * 4, "1.0")
    assert len(header) == len(rows[0])
