"""A redacted column's values on a whole running sidecar: nowhere, whatever is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.sidecar import JSON, Model, Sidecar, request

pytestmark = pytest.mark.end_to_end

CANARY = "canary-4711"
CONFIG = """\
window: {{size: 4s, pane: 500ms, min_rows: 50}}
drift: {{columns: {{x: {{method: psi, threshold: 0.2}}}}}}
observe: {{redact: [secret, person]}}
performance: {{segments: [plan]}}
alerts:
  for: 0s
  keep_firing_for: 200ms
  webhooks: [{{url: "{url}"}}]
  allow_private: [127.0.0.1]
"""
PATHS = (
    "/metrics", "/", "/openapi.json", "/api/v1/drift", "/api/v1/performance", "/api/v1/alerts",
    "/api/v1/health", "/api/v1/reference", "/api/v1/columns/secret", "/api/v1/columns/person.name",
    "/api/v1/predictions/seen-last",
)  # fmt: skip


def predict(sidecar: Sidecar, values: list[float], **headers: str) -> None:
    """Rows that each hold the canary in a column, in a part of an object, and where it is new."""
    rows = [
        {
            "x": value,
            "plan": "basic",
            "secret": f"{CANARY}-{value}",
            "person": {"name": f"{CANARY}-{place}", "age": 30},
        }
        for place, value in enumerate(values)
    ]
    body = json.dumps({"instances": rows}).encode()
    assert request(sidecar.port, "POST", "/predict", body, {**JSON, **headers})[0] == 200


def test_a_redacted_value_is_nowhere(
    start: Callable[..., Sidecar], received: Model, tmp_path: Path
) -> None:
    sidecar = start(config=CONFIG.format(url=received.url))
    for turn in range(52):  # the reference: 5,000 rows around zero
        predict(sidecar, [(row % 11 - 5 + turn % 3) / 5 for row in range(100)])
    sidecar.wait(lambda: sidecar.json("/api/v1/health")["reference"]["state"] == "ready")

    def alerted() -> bool:
        predict(sidecar, [5.0] * 20, **{"x-request-id": "seen-last"})
        return any(b"SidelightFeatureDrift" in body for _, body in received.seen)

    sidecar.wait(alerted)
    labels = [{"prediction_id": "seen-last", "row": row, "label": 10.5} for row in range(20)]
    assert sidecar.feedback(labels)[0] == 202
    sidecar.wait(lambda: sidecar.json("/api/v1/performance")["realised"]["rows"] == 20)
    answers = [request(sidecar.control, "GET", path) for path in PATHS]
    assert {status for status, _, _ in answers} == {200}
    assert b"id_conflicts_total" in answers[0][2]
    assert sidecar.metric("id_conflicts_total") > 0  # one id was sent more than once
    assert sidecar.stop() == 0
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"sidelight.db", "reference.json"}
    told = {path: answer[2] for path, answer in zip(PATHS, answers, strict=True)}
    told |= {str(path): path.read_bytes() for path in files}
    told |= {f"alert {number}": body for number, (_, body) in enumerate(received.seen)}
    told["log"] = sidecar.log().encode()
    assert [place for place, said in told.items() if CANARY.encode() in said] == []
    shown = [place for place, said in told.items() if b"basic" in said]  # of another column
    assert any(place.endswith("sidelight.db") for place in shown)
    assert "/metrics" in shown
