"""Notices: what every format is given of an alert."""

from __future__ import annotations

import pytest

from exporters.message import fingerprint, notice, timestamp
from monitor.snapshot import Alert, AlertState

LABELS = {"alertname": "SidelightFeatureDrift", "model": "flights", "column": "delay"}
FIRING = Alert(LABELS, {"summary": "s"}, AlertState.FIRING, 1000.0, 1120.0)
RESOLVED = Alert(
    {**LABELS, "column": "b"}, {"summary": "s"}, AlertState.RESOLVED, 900.0, 1000.0, 2000.5
)


def test_a_firing_alert() -> None:
    assert notice(FIRING, "http://127.0.0.1:8001/") == {
        "status": "firing",
        "labels": LABELS,
        "annotations": {"summary": "s"},
        "startsAt": "1970-01-01T00:18:40Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:8001/",
        "fingerprint": fingerprint(LABELS),
    }


def test_a_resolved_alert_has_its_end() -> None:
    made = notice(RESOLVED, "")
    assert (made["status"], made["endsAt"]) == ("resolved", "1970-01-01T00:33:20.500000Z")


def test_the_fingerprint_is_prometheus_own() -> None:
    """FNV-1a over name, 0xff, value, 0xff: computed here by its definition, label by label."""
    data = b"".join(
        name.encode() + b"\xff" + LABELS[name].encode() + b"\xff" for name in sorted(LABELS)
    )
    digest = 14695981039346656037
    for byte in data:
        digest = (digest ^ byte) * 1099511628211 % 2**64
    assert fingerprint(LABELS) == f"{digest:016x}"
    assert fingerprint(dict(reversed(LABELS.items()))) == fingerprint(LABELS)
    assert fingerprint({"ab": "c"}) != fingerprint({"a": "bc"})


@pytest.mark.parametrize("seconds", [None, -1.0, 1e300, float("nan"), float("inf")])
def test_no_time_is_gos_zero_time(seconds: float | None) -> None:
    assert timestamp(seconds) == "0001-01-01T00:00:00Z"


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    odd = Alert({**LABELS, "column": "a\ud800"}, {"summary": "\udfff"}, AlertState.FIRING, 1.0, 2.0)
    made = notice(odd, "")
    assert (made["labels"]["column"], made["annotations"]["summary"]) == ("a?", "?")
