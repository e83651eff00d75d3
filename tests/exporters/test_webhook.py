"""Alertmanager's body and Standard Webhooks' signature, against their published examples."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from exporters.webhook import Signer, body, fingerprint, notice, timestamp
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


def test_the_body_is_alertmanagers_version_4() -> None:
    made = body([notice(FIRING, ""), notice(RESOLVED, "")], "http://x/")
    assert json.loads(json.dumps(made)) == made
    assert (made["version"], made["status"], made["receiver"]) == ("4", "firing", "sidelight")
    assert made["groupKey"] == '{}:{model="flights"}'
    assert made["groupLabels"] == {"model": "flights"}
    assert made["commonLabels"] == {"alertname": "SidelightFeatureDrift", "model": "flights"}
    assert made["commonAnnotations"] == {"summary": "s"}
    assert (made["externalURL"], made["truncatedAlerts"]) == ("http://x/", 0)
    assert body([notice(RESOLVED, "")], "")["status"] == "resolved"


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


def test_the_signature_is_the_standards_own_example() -> None:
    """The vector of the reference implementations (standard-webhooks, libraries/python tests)."""
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_plain_secret_is_its_own_bytes() -> None:
    expected = hmac.digest("pässword".encode(), b"id.5.body", hashlib.sha256)
    made = Signer("pässword").headers("id", 5.0, b"body")["webhook-signature"]
    assert made == "v1," + base64.b64encode(expected).decode()


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_abc"])
def test_a_malformed_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="base64") as raised:
        Signer(secret)
    assert secret == "whsec_" or secret not in str(raised.value)
