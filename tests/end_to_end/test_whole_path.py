"""From the first byte to a metric, a joined label and a delivered alert."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import main
from monitor.cli.commands import app
from monitor.codec.explain import ADVICE
from tests.end_to_end.sidecar import JSON, Model, Sidecar, request

pytestmark = pytest.mark.end_to_end

WINDOW = (
    "window: {size: 6s, pane: 500ms, min_rows: 100}\nalerts: {for: 200ms, keep_firing_for: 200ms"
)
NOISE = 0.5
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def _reference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Built by the command, from a CSV: x normal, prediction 2x, target off by ±NOISE."""
    source = random.Random(1)
    data, output = folder / "accepted.csv", folder / "reference.json"
    with data.open("w") as file:
        file.write("x,predicted,truth\n")
        for row in range(4000):
            x = source.gauss(0, 1)
            file.write(f"{x!r},{2 * x!r},{2 * x + (NOISE if row % 2 else -NOISE)!r}\n")
    words = ["reference", "build", str(data), "--output", str(output)]
    words += ["--target", "truth", "--prediction", "predicted"]
    monkeypatch.setattr("sys.argv", ["sidelight", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return output


def _send(sidecar: Sidecar, shift: float, seed: int, requests: int = 40) -> None:
    """Batches of ten rows, each with its labels a request later."""
    source = random.Random(seed)
    for _ in range(requests):
        values = [source.gauss(shift, 1) for _ in range(10)]
        status, fields, body = sidecar.predict(values)
        assert status == 200
        predictions = json.loads(body)["predictions"]
        assert predictions == [2 * value for value in values]
        labels = [p + (NOISE if row % 2 else -NOISE) for row, p in enumerate(predictions)]
        posted = {"prediction_id": fields["x-prediction-id"], "labels": labels}
        assert sidecar.feedback(posted)[0] == 202


def _column(sidecar: Sidecar, name: str) -> dict[str, object]:
    columns = sidecar.json("/api/v1/drift")["columns"]
    found: dict[str, object] = next(one for one in columns if one["column"] == name)
    return found


def test_from_the_first_byte_to_a_resolved_alert(
    start: Callable[..., Sidecar],
    received: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference = _reference(tmp_path, monkeypatch)
    webhook = f"{{url: '{received.url}/hook/not-for-logs', secret: 'not-for-logs'}}"
    webhook = f", webhooks: [{webhook}], allow_private: [127.0.0.1]}}\n"
    sidecar = start("--reference", str(reference), config=WINDOW + webhook)

    _send(sidecar, shift=0.0, seed=2)
    sidecar.wait(lambda: _column(sidecar, "x")["status"] == "ok")
    _send(sidecar, shift=2.0, seed=3)
    sidecar.wait(lambda: _column(sidecar, "x")["status"] == "drift")
    assert _column(sidecar, "prediction")["status"] == "drift"

    sidecar.wait(lambda: len(received.seen) >= 1)
    headers, body = received.seen[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.digest(b"not-for-logs", signed, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    message = json.loads(body)
    assert (message["version"], message["status"]) == ("4", "firing")
    names = {alert["labels"]["alertname"] for alert in message["alerts"]}
    assert "SidelightFeatureDrift" in names

    def resolved() -> bool:
        texts = [json.loads(content) for _, content in received.seen]
        states = [alert["status"] for text in texts for alert in text["alerts"]]
        return states.count("resolved") == states.count("firing")

    sidecar.wait(resolved)  # once the shifted rows have left the window

    sidecar.wait(lambda: sidecar.outcomes() == {"observed": 80})
    assert _metric(sidecar, "sidelight_labels_total") == 800
    mae = _metric(sidecar, "sidelight_absolute_error_total") / 800
    rmse = math.sqrt(_metric(sidecar, "sidelight_squared_error_total") / 800)
    assert mae == pytest.approx(NOISE, rel=1e-9)
    assert rmse == pytest.approx(NOISE, rel=1e-9)
    performance = sidecar.json("/api/v1/performance")
    assert performance["reference"]["mae"] == pytest.approx(NOISE, rel=1e-9)
    paths = ("/metrics", "/", "/openapi.json", "/api/v1/health", "/api/v1/alerts", "/api/v1/drift")
    told = [request(sidecar.control, "GET", path)[2] for path in paths]
    assert b"not-for-logs" not in b"".join(told)
    assert "not-for-logs" not in sidecar.log()
    assert sidecar.stop() == 0


def test_metrics_are_clean_and_bins_add_up(start: Callable[..., Sidecar]) -> None:
    sidecar = start()
    source = random.Random(4)
    for _ in range(52):
        assert sidecar.predict([source.gauss(0, 1) for _ in range(100)])[0] == 200
    sidecar.wait(lambda: sidecar.json("/api/v1/health")["reference"]["state"] == "ready")
    for values in ([1.0, None, "text"], [math.pi]):
        sidecar.predict(values)
    sidecar.wait(lambda: sidecar.json("/api/v1/health")["predictions"] == 5204)
    _, _, text = request(sidecar.control, "GET", "/metrics")
    rows = sum(
        float(line.rpartition(" ")[2])
        for line in text.decode().splitlines()
        if line.startswith('sidelight_column_observations_total{bin="') and 'column="x"' in line
    )
    learned = sidecar.json("/api/v1/health")["reference"]["rows"]
    assert rows == 5204 - learned  # what came after the reference was complete
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_a_restart_keeps_labels_reference_and_window(start: Callable[..., Sidecar]) -> None:
    config = "window: {size: 1h, pane: 1m, min_rows: 10}\n"
    sidecar = start(config=config)
    source = random.Random(5)
    for _ in range(51):
        sidecar.predict([source.gauss(0, 1) for _ in range(100)])
    _, fields, _ = sidecar.predict([1.0] * 20)
    prediction_id = fields["x-prediction-id"]
    assert sidecar.feedback({"prediction_id": prediction_id, "labels": [3.0] * 20})[0] == 202
    sidecar.wait(lambda: sidecar.json("/api/v1/performance")["realised"]["rows"] == 20)
    digest = sidecar.json("/api/v1/health")["reference"]["digest"]
    assert digest
    assert sidecar.stop() == 0

    again = start(config=config)
    assert again.json("/api/v1/health")["reference"]["digest"] == digest
    again.wait(lambda: again.json("/api/v1/performance")["realised"].get("mae") == 1.0)
    rows = again.json(f"/api/v1/predictions/{prediction_id}")["rows"]
    assert [(row["prediction"], row["label"]) for row in rows] == [(2.0, 3.0)] * 20
    status, answer = again.feedback({"prediction_id": prediction_id, "row": 0, "label": 3.0})
    assert (status, answer["duplicate"]) == (202, 1)


def test_the_callers_ids_join_and_the_model_sees_its_own(
    start: Callable[..., Sidecar], served: Model
) -> None:
    sidecar = start()
    trace = f"00-{TRACE}-00f067aa0ba902b7-01"
    _, fields, _ = sidecar.predict([1.0], **{"x-request-id": "order-17", "traceparent": trace})
    assert fields["x-prediction-id"] == "order-17"
    assert served.seen[-1] == "order-17"
    assert sidecar.feedback({"prediction_id": TRACE, "label": 2.5})[0] == 202

    def joined() -> bool:
        status, answer = sidecar.get("/api/v1/predictions/order-17")
        return status == 200 and answer["rows"][0]["label"] == 2.5

    sidecar.wait(joined)


def test_the_models_own_urls_pass_through(start: Callable[..., Sidecar]) -> None:
    sidecar = start()
    for path in ("/metrics", "/health", "/api/v1/drift", "/docs"):
        status, fields, body = request(sidecar.port, "POST", path, b'{"of":"the model"}', JSON)
        assert (status, body) == (200, b'{"of":"the model"}')
        assert fields["content-type"] == "application/json"
    request(sidecar.port, "POST", "/metrics", b"no json", JSON)

    def inspected(*flags: str) -> str:
        """What `sidelight inspect` says of a running sidecar."""
        result = CliRunner().invoke(app, ["inspect", f"http://127.0.0.1:{sidecar.control}", *flags])
        assert result.exit_code == 0
        return result.output

    def fates() -> set[tuple[str, str, int]]:
        told = json.loads(inspected("--json"))
        return {(one["outcome"], one["reason"], one["exchanges"]) for one in told}

    sidecar.wait(lambda: fates() >= {("observed", "", 4), ("failed", "not_json", 1)})
    assert ADVICE["not_json"][1][0].partition(":")[0] in inspected()


def _metric(sidecar: Sidecar, name: str) -> float:
    _, _, text = request(sidecar.control, "GET", "/metrics")
    values = [
        float(line.rpartition(" ")[2])
        for line in text.decode().splitlines()
        if line.startswith(name + "{")
    ]
    return sum(values)
