"""What receivers are told: an alert as a notice, and the notices of one message.

Pure. Knows nothing of how a receiver wants to read it, of sockets, or of retries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.snapshot import Alert, AlertState

Notice = dict[str, Any]  # one alert as Alertmanager writes it: JSON through and through

MODEL_LABEL = "model"
FIRING = "firing"
RESOLVED = "resolved"
_NO_TIME = "0001-01-01T00:00:00Z"  # Go's zero time: Alertmanager's word for "has not ended"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to be sent now; the id is the same over all attempts at one content."""

    id: str
    group: str  # whose notices these are: a model's, or one alert's
    notices: tuple[Notice, ...]


def notice(alert: Alert, external_url: str) -> Notice:
    """One firing or resolved alert as every format is given it."""
    resolved = alert.state is AlertState.RESOLVED
    return {
        "status": RESOLVED if resolved else FIRING,
        "labels": _encodable(alert.labels),
        "annotations": _encodable(alert.annotations),
        "startsAt": timestamp(alert.fired_at if alert.fired_at is not None else alert.active_since),
        "endsAt": timestamp(alert.resolved_at) if resolved else _NO_TIME,
        "generatorURL": external_url,
        "fingerprint": fingerprint(alert.labels),
    }


def _encodable(texts: Mapping[str, str]) -> dict[str, str]:
    """Column names come from traffic: half a surrogate pair is text there, and none in JSON."""
    return {name: text.encode("utf-8", "replace").decode() for name, text in texts.items()}


def fingerprint(labels: Mapping[str, str]) -> str:
    """Prometheus' fingerprint of a label set: FNV-1a, 64 bits, in the order of the names.

    Source: prometheus/common, model/signature.go (labelSetToFingerprint).

    >>> fingerprint({})
    'cbf29ce484222325'
    """
    digest = 0xCBF29CE484222325
    for byte in _bytes_of(labels):
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def _bytes_of(labels: Mapping[str, str]) -> Iterable[int]:
    for name in sorted(labels):
        yield from name.encode("utf-8", "replace")
        yield 0xFF
        yield from labels[name].encode("utf-8", "replace")
        yield 0xFF


def timestamp(seconds: float | None) -> str:
    """Unix seconds in RFC 3339; a time that no calendar has becomes Go's zero time.

    >>> timestamp(1_700_000_000.25)
    '2023-11-14T22:13:20.250000Z'
    """
    if seconds is None or not 0 <= seconds <= (_LATEST - _EPOCH).total_seconds():
        return _NO_TIME
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
