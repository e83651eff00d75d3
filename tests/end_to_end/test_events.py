"""Logged traffic, where nothing can be proxied: events in, predictions and joined labels out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent

from tests.end_to_end.sidecar import Sidecar, request

pytestmark = pytest.mark.end_to_end


def test_events_become_predictions_that_labels_join(start: Callable[..., Sidecar]) -> None:
    sidecar = start()
    answers = []
    for number in range(6):
        sides = [
            ("request", {"instances": [{"x": number}, {"x": -number}]}),
            ("response", {"predictions": [2 * number, -2 * number]}),
        ]
        for side, data in sides if number % 2 else sides[::-1]:
            kind = f"org.kubeflow.serving.inference.{side}"
            event = CloudEvent({"type": kind, "source": "s", "id": f"log-{number}"}, data)
            headers, body = (to_binary, to_structured)[number % 3 == 0](event)
            answers.append(request(sidecar.control, "POST", "/events", body, dict(headers)))
    assert [status for status, _, _ in answers] == [202] * 12
    assert json.loads(answers[-1][2]) == {"paired": 1}
    sidecar.wait(lambda: sidecar.metric("predictions_total") == 12)
    sidecar.wait(lambda: sidecar.metric("events_total", outcome="observed") == 6)
    status, report = sidecar.feedback({"prediction_id": "log-3", "labels": [7, -7]})
    assert (status, report["joined"]) == (202, 2)
    rows = sidecar.json("/api/v1/predictions/log-3")["rows"]
    assert [(row["prediction"], row["label"]) for row in rows] == [(6, 7), (-6, -7)]
    assert sidecar.outcomes().get("observed", 0) == 0  # nothing was relayed
