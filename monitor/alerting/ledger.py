"""The life of alerts as a pure state machine: inactive, pending, firing, resolved.

`step` takes what is wrong now and gives what changed. It knows nothing of why a condition holds,
and of nobody who is told; it has no clock: time is an argument, and may jump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.snapshot import Alert, AlertState

FORMAT = 1
RESOLVED_SHOWN = 100  # resolved alerts that are kept to be looked at


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now. Equal labels are the same condition."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a condition must hold before its alert fires, and be gone before it resolves."""

    for_seconds: float = 120.0
    keep_firing_seconds: float = 600.0
    gap_seconds: float = 60.0  # no more is believed of the time between two steps: nobody looked
    resolved_shown_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert, and for how long its condition has held (pending) or been gone (firing, resolved).

    None while an alert fires and its condition still holds.
    """

    alert: Alert
    seconds: float | None = 0.0


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Every alert that is not inactive, by fingerprint, and when it was last looked."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    stepped_at: float | None = None


def step(
    state: LedgerState, conditions: Sequence[Condition], now: float, timing: Timing
) -> tuple[LedgerState, tuple[Alert, ...]]:
    """The next state, and the alerts that began to fire or were resolved by it.

    Durations are added up from step to step: a clock that jumps back adds nothing, one that jumps
    ahead adds at most `gap_seconds`. So no jump fires or resolves anything early.

    >>> wrong = Condition({"alertname": "SidelightFeatureDrift"})
    >>> timing = Timing(for_seconds=60)
    >>> state, transitions = step(LedgerState(), [wrong], 0.0, timing)
    >>> transitions
    ()
    >>> state, transitions = step(state, [wrong], 60.0, timing)
    >>> [str(alert.state) for alert in transitions]
    ['firing']
    """
    elapsed = _elapsed(state.stepped_at, now, timing)
    present = {_fingerprint(condition): condition for condition in conditions}
    entries: dict[str, Entry] = {}
    transitions: list[Alert] = []
    for fingerprint in (*state.entries, *(f for f in present if f not in state.entries)):
        before = state.entries.get(fingerprint)
        after = _next(before, present.get(fingerprint), _Moment(now, elapsed, timing))
        if after is None:
            continue
        entries[fingerprint] = after
        if _told(before, after):
            transitions.append(after.alert)
    return LedgerState(_forget_oldest(entries), now), tuple(transitions)


def alerts(state: LedgerState) -> tuple[Alert, ...]:
    """Every alert to show: firing, then pending, then lately resolved; each newest first."""
    order = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)
    shown = (entry.alert for entry in state.entries.values())
    return tuple(sorted(shown, key=lambda alert: (order.index(alert.state), -alert.active_since)))


@dataclass(frozen=True, slots=True)
class _Moment:
    now: float
    elapsed: float
    timing: Timing


def _elapsed(stepped_at: float | None, now: float, timing: Timing) -> float:
    if stepped_at is None:
        return 0.0
    return min(max(now - stepped_at, 0.0), timing.gap_seconds)


def _fingerprint(condition: Condition) -> str:
    return Alert(condition.labels, {}, AlertState.PENDING, 0.0).fingerprint


def _next(before: Entry | None, condition: Condition | None, moment: _Moment) -> Entry | None:
    if before is None:
        return _begin(condition, moment)
    move = {
        AlertState.PENDING: _from_pending,
        AlertState.FIRING: _from_firing,
        AlertState.RESOLVED: _from_resolved,
    }
    return move[before.alert.state](before, condition, moment)


def _begin(condition: Condition | None, moment: _Moment) -> Entry | None:
    if condition is None:
        return None
    labels, annotations = dict(condition.labels), dict(condition.annotations)
    pending = Entry(Alert(labels, annotations, AlertState.PENDING, moment.now))
    return _fire_if_due(pending, moment)


def _from_pending(before: Entry, condition: Condition | None, moment: _Moment) -> Entry | None:
    if condition is None:
        return None
    alert = replace(before.alert, annotations=dict(condition.annotations))
    return _fire_if_due(Entry(alert, _longer(before, moment)), moment)


def _fire_if_due(entry: Entry, moment: _Moment) -> Entry:
    if (entry.seconds or 0.0) < moment.timing.for_seconds:
        return entry
    return Entry(replace(entry.alert, state=AlertState.FIRING, fired_at=moment.now), None)


def _longer(before: Entry, moment: _Moment) -> float:
    """Seconds so far; the step at which a state is entered is its zero, as in Prometheus."""
    return 0.0 if before.seconds is None else before.seconds + moment.elapsed


def _from_firing(before: Entry, condition: Condition | None, moment: _Moment) -> Entry:
    if condition is not None:
        return Entry(replace(before.alert, annotations=dict(condition.annotations)), None)
    gone = _longer(before, moment)
    if gone < moment.timing.keep_firing_seconds:
        return Entry(before.alert, gone)
    # An end before its beginning (the clock was set back) would be refused by receivers.
    ended = max(moment.now, before.alert.fired_at or moment.now)
    return Entry(replace(before.alert, state=AlertState.RESOLVED, resolved_at=ended))


def _from_resolved(before: Entry, condition: Condition | None, moment: _Moment) -> Entry | None:
    if condition is not None:
        return _begin(condition, moment)
    gone = _longer(before, moment)
    return Entry(before.alert, gone) if gone < moment.timing.resolved_shown_seconds else None


def _told(before: Entry | None, after: Entry) -> bool:
    if after.alert.state is AlertState.PENDING:
        return False
    return before is None or before.alert.state is not after.alert.state


def _forget_oldest(entries: dict[str, Entry]) -> dict[str, Entry]:
    resolved = [f for f, entry in entries.items() if entry.alert.state is AlertState.RESOLVED]
    surplus = len(resolved) - RESOLVED_SHOWN
    if surplus > 0:
        resolved.sort(key=lambda fingerprint: entries[fingerprint].alert.resolved_at or 0.0)
        for fingerprint in resolved[:surplus]:
            del entries[fingerprint]
    return entries


def to_document(state: LedgerState) -> dict[str, Any]:
    """The state as JSON can hold it."""
    return {
        "format": FORMAT,
        "stepped_at": state.stepped_at,
        "entries": [_entry_document(entry) for entry in state.entries.values()],
    }


def _entry_document(entry: Entry) -> dict[str, Any]:
    alert = entry.alert
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": str(alert.state),
        "active_since": alert.active_since,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "seconds": entry.seconds,
    }


def from_document(document: Mapping[str, Any] | None) -> LedgerState:
    """The state that `to_document` wrote; an empty one from None; ValueError on anything else."""
    if document is None:
        return LedgerState()
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"alert ledger of format {document['format']!r}")
        entries = [_entry(item) for item in document["entries"]]
        stepped_at = _optional(document["stepped_at"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alert ledger: {error!r}") from None
    return LedgerState({entry.alert.fingerprint: entry for entry in entries}, stepped_at)


def _entry(item: Mapping[str, Any]) -> Entry:
    alert = Alert(
        {str(name): str(value) for name, value in item["labels"].items()},
        {str(name): str(value) for name, value in item["annotations"].items()},
        AlertState(item["state"]),
        float(item["active_since"]),
        _optional(item["fired_at"]),
        _optional(item["resolved_at"]),
    )
    return Entry(alert, _optional(item["seconds"]))


def _optional(value: float | None) -> float | None:
    return None if value is None else float(value)
