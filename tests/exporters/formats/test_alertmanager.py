"""Alertmanager's webhook body, version 4."""

from __future__ import annotations

import json

from exporters.formats.alertmanager import body
from exporters.message import notice
from monitor.snapshot import Alert, AlertState

LABELS = {"alertname": "SidelightFeatureDrift", "model": "flights", "column": "delay"}
FIRING = Alert(LABELS, {"summary": "s"}, AlertState.FIRING, 1000.0, 1120.0)
RESOLVED = Alert(
    {**LABELS, "column": "b"}, {"summary": "s"}, AlertState.RESOLVED, 900.0, 1000.0, 2000.5
)


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
