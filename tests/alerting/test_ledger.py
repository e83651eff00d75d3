"""The ledger: laws over random histories, then the cases that have names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.ledger import (
    RESOLVED_SHOWN,
    Condition,
    LedgerState,
    Timing,
    alerts,
    from_document,
    step,
    to_document,
)
from monitor.snapshot import Alert, AlertState

Steps = list[tuple[bool, bool, int]]
Moments = list[tuple[float, list[Condition]]]

FIRING, RESOLVED, PENDING = AlertState.FIRING, AlertState.RESOLVED, AlertState.PENDING
DRIFT = Condition({"alertname": "SidelightFeatureDrift", "column": "a"}, {"summary": "a moved"})
OTHER = Condition({"alertname": "SidelightFeatureDrift", "column": "b"}, {"summary": "b moved"})

_histories = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(-4000, 4000)), min_size=1, max_size=40
)
_timings = st.builds(
    Timing,
    for_seconds=st.sampled_from([0.0, 1.0, 60.0, 120.0]),
    keep_firing_seconds=st.sampled_from([0.0, 5.0, 600.0]),
    gap_seconds=st.sampled_from([1.0, 60.0, 1e9]),
)


def run(
    moments: Sequence[tuple[float, Sequence[Condition]]], timing: Timing
) -> list[tuple[float, LedgerState, tuple[Alert, ...]]]:
    state = LedgerState()
    told = []
    for now, conditions in moments:
        state, transitions = step(state, conditions, now, timing)
        told.append((now, state, transitions))
    return told


def history(steps: Steps) -> Moments:
    now = 1_000_000.0
    moments: Moments = []
    for a, b, ahead in steps:
        now += ahead / 10
        moments.append((now, [DRIFT] * a + [OTHER] * b))
    return moments


@given(_histories, _timings)
def test_each_firing_has_exactly_one_resolve_in_turn(steps: Steps, timing: Timing) -> None:
    states: dict[str, list[AlertState]] = {}
    for _, _, transitions in run(history(steps), timing):
        for alert in transitions:
            states.setdefault(alert.fingerprint, []).append(alert.state)
    for told in states.values():
        assert told == [FIRING, RESOLVED] * (len(told) // 2) + [FIRING] * (len(told) % 2)


@given(_histories, _timings)
def test_durations_are_those_of_a_brute_force_count(steps: Steps, timing: Timing) -> None:
    """Fires exactly when seen for `for`; resolves exactly when gone for `keep`."""
    moments = history(steps)
    expected = []
    firing = False
    held: float | None = None
    gone: float | None = None
    last: float | None = None
    for index, (now, conditions) in enumerate(moments):
        ahead = 0.0 if last is None else min(max(now - last, 0.0), timing.gap_seconds)
        last = now
        if DRIFT in conditions:
            gone = None
            held = 0.0 if held is None else held + ahead
            if not firing and held >= timing.for_seconds:
                firing = True
                expected.append((index, FIRING))
        else:
            held = None
            if firing:
                gone = 0.0 if gone is None else gone + ahead
                if gone >= timing.keep_firing_seconds:
                    firing, gone = False, None
                    expected.append((index, RESOLVED))
    told = [
        (index, alert.state)
        for index, (_, _, transitions) in enumerate(run(moments, timing))
        for alert in transitions
        if alert.labels == DRIFT.labels
    ]
    assert told == expected


@given(_histories, _timings, st.data())
def test_a_restart_at_any_moment_changes_nothing(
    steps: Steps, timing: Timing, data: st.DataObject
) -> None:
    moments = history(steps)
    cut = data.draw(st.integers(0, len(moments)))
    state, told = LedgerState(), []
    for index, (now, conditions) in enumerate(moments):
        if index == cut:
            state = from_document(json.loads(json.dumps(to_document(state))))
        state, transitions = step(state, conditions, now, timing)
        told.append(transitions)
    assert told == [transitions for _, _, transitions in run(moments, timing)]


@given(_histories, _timings)
def test_other_alerts_do_not_matter(steps: Steps, timing: Timing) -> None:
    def of_drift(moments: Moments) -> list[list[Alert]]:
        return [
            [alert for alert in transitions if alert.labels == DRIFT.labels]
            for _, _, transitions in run(moments, timing)
        ]

    moments = history(steps)
    alone = [(now, [c for c in conditions if c is DRIFT]) for now, conditions in moments]
    assert of_drift(moments) == of_drift(alone)


@given(_histories)
def test_never_from_inactive_to_firing(steps: Steps) -> None:
    before: set[str] = set()
    for _, state, transitions in run(history(steps), Timing(for_seconds=0.1)):
        assert all(a.fingerprint in before for a in transitions if a.state is FIRING)
        before = {a.fingerprint for a in alerts(state) if a.state is PENDING}


def test_pending_then_firing_then_kept_then_resolved() -> None:
    timing = Timing(for_seconds=120, keep_firing_seconds=600)
    moments = [(float(t), [DRIFT] if t < 300 else []) for t in range(0, 1200, 30)]
    told = [(now, a) for now, _, transitions in run(moments, timing) for a in transitions]
    assert [(now, a.state) for now, a in told] == [(120.0, FIRING), (900.0, RESOLVED)]
    fired, resolved = told[0][1], told[1][1]
    assert (fired.active_since, fired.fired_at, fired.resolved_at) == (0.0, 120.0, None)
    assert (resolved.fired_at, resolved.resolved_at) == (120.0, 900.0)
    assert resolved.annotations == {"summary": "a moved"}


def test_a_flicker_never_fires() -> None:
    moments = [(float(t), [DRIFT] if t % 60 else []) for t in range(0, 6000, 30)]
    assert not any(transitions for _, _, transitions in run(moments, Timing(for_seconds=120)))


def test_a_return_within_keep_firing_says_nothing() -> None:
    timing = Timing(for_seconds=0, keep_firing_seconds=100)
    moments = [(0.0, [DRIFT]), (30.0, []), (60.0, []), (90.0, [DRIFT]), (120.0, []), (180.0, [])]
    assert [len(transitions) for _, _, transitions in run(moments, timing)] == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("jump", [-3600.0, -86400.0, 86400.0])
def test_a_clock_jump_neither_fires_nor_resolves(jump: float) -> None:
    timing = Timing(for_seconds=120, keep_firing_seconds=120, gap_seconds=60)
    pending = [(0.0, [DRIFT]), (10.0, [DRIFT]), (10.0 + jump, [DRIFT])]
    assert not any(transitions for _, _, transitions in run(pending, timing))
    firing = [(t * 60.0, [DRIFT]) for t in range(3)] + [(130.0, []), (130.0 + jump, [])]
    told = [a.state for _, _, transitions in run(firing, timing) for a in transitions]
    assert told == [FIRING]


def test_an_end_is_never_before_its_beginning() -> None:
    timing = Timing(for_seconds=0, keep_firing_seconds=0)
    told = run([(5000.0, [DRIFT]), (1000.0, [])], timing)
    resolved = told[1][2][0]
    assert resolved.resolved_at is not None
    assert resolved.fired_at is not None
    assert resolved.resolved_at >= resolved.fired_at


def test_annotations_are_those_of_the_last_time_it_was_true() -> None:
    worse = Condition(DRIFT.labels, {"summary": "a moved further"})
    timing = Timing(for_seconds=0, keep_firing_seconds=0)
    told = run([(0.0, [DRIFT]), (1.0, [worse]), (2.0, [])], timing)
    assert told[2][2][0].annotations == {"summary": "a moved further"}
    assert len(told[1][2]) == 0


def test_resolved_alerts_are_shown_for_a_while_and_never_too_many() -> None:
    timing = Timing(
        for_seconds=0, keep_firing_seconds=0, resolved_shown_seconds=100, gap_seconds=60
    )
    many = [Condition({"alertname": "A", "column": str(i)}) for i in range(RESOLVED_SHOWN + 20)]
    told = run([(0.0, many), (1.0, []), (61.0, []), (121.0, [])], timing)
    assert len(told[1][2]) == len(many)
    assert len(alerts(told[1][1])) == RESOLVED_SHOWN
    assert len(alerts(told[2][1])) == RESOLVED_SHOWN
    assert alerts(told[3][1]) == ()


def test_alerts_are_listed_firing_first() -> None:
    timing = Timing(for_seconds=60, keep_firing_seconds=0)
    third = Condition({"alertname": "A", "column": "c"})
    moments = [(0.0, [DRIFT, OTHER]), (60.0, [DRIFT, OTHER]), (90.0, [OTHER, third])]
    state = run(moments, timing)[-1][1]
    assert [a.state for a in alerts(state)] == [FIRING, PENDING, RESOLVED]


@pytest.mark.parametrize(
    "document",
    [{}, {"format": 2, "stepped_at": 1, "entries": []}, {"format": 1, "stepped_at": 1},
     {"format": 1, "stepped_at": None, "entries": [{"labels": 3}]},
     {"format": 1, "stepped_at": None, "entries": [7]},
     {"format": 1, "stepped_at": [], "entries": []}],
)  # fmt: skip
def test_a_foreign_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ledger"):
        from_document(document)


def test_no_document_is_an_empty_ledger() -> None:
    assert from_document(None) == LedgerState()


@settings(max_examples=20)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), max_size=4))
def test_any_labels_survive_a_restart(labels: list[dict[str, str]]) -> None:
    conditions = [Condition(each) for each in labels]
    state, _ = step(LedgerState(), conditions, 1.0, Timing(for_seconds=0))
    assert from_document(json.loads(json.dumps(to_document(state)))) == state
