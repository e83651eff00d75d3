"""Servers that others wrote, driven by their own clients through the sidecar: every value of a row.

Each server runs in an environment of its own (`make test-servers`); without it its test is skipped.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sklearn.datasets import load_iris
from typer.testing import CliRunner

from monitor.cli.commands import app
from monitor.codec import Decoder, DecoderSettings
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange, field
from tests.end_to_end.servers.recorder import drive, recorded, serving
from tests.end_to_end.sidecar import Sidecar, request

pytestmark = pytest.mark.end_to_end

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
KEPT = Path(__file__).parents[2] / "codec"


@dataclass(frozen=True, slots=True)
class Server:
    """One server, how to know that it is up, and how exact its answers are."""

    name: str
    ready: str
    task: str | None = None


SERVERS = (
    Server("mlflow", "/ping"),
    Server("mlserver", "/v2/models/iris/ready"),
    Server("litserve", "/health"),
    Server("flask", "/health"),
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference of the data that the model was trained on."""
    folder = tmp_path_factory.mktemp("reference")
    features, labels = load_iris(return_X_y=True)
    lines = [",".join([*map(str, row), str(label)]) for row, label in zip(features, labels,
             strict=True)]  # fmt: skip
    (folder / "iris.csv").write_text("\n".join([",".join([*NAMES, "species"]), *lines]))
    path = folder / "reference.json"
    arguments = ["reference", "build", str(folder / "iris.csv"), "--output", str(path)]
    result = CliRunner().invoke(app, [*arguments, "--prediction", "species"])
    assert result.exit_code == 0, result.output
    return path


@pytest.mark.timeout(500)
@pytest.mark.parametrize("server", SERVERS, ids=lambda one: one.name)
def test_every_row_is_what_was_sent(server: Server, reference: Path, tmp_path: Path) -> None:
    program = f"{server.name}_server.py"
    with serving(server.name, program, tmp_path, server.ready) as port, recorded(port) as tape:
        upstream = ("--upstream", f"http://127.0.0.1:{tape.server_address[1]}")
        config = "window: {min_rows: 10}\nmodel: {task: multiclass}\n"
        sidecar = Sidecar(tmp_path, *upstream, "--reference", str(reference), config=config)
        try:
            calls = drive(server.name, f"{server.name}_client.py", sidecar.port)
            _check_exchanges(tape.exchanges, calls)
            _check_sidecar(sidecar, tape.exchanges, calls)
        finally:
            sidecar.close()
        _keep(server.name, tape.exchanges)


@pytest.mark.timeout(300)
def test_mlserver_over_grpc_by_tritons_client(reference: Path, tmp_path: Path) -> None:
    with serving("mlserver", "mlserver_server.py", tmp_path, "/v2/models/iris/ready"):
        port = json.loads((tmp_path / "settings.json").read_text())["grpc_port"]
        upstream = ("--upstream", f"http://127.0.0.1:{port}")
        config = "window: {min_rows: 10}\nmodel: {task: multiclass}\n"
        sidecar = Sidecar(tmp_path, *upstream, "--reference", str(reference), config=config)
        try:
            calls = drive("mlserver", "mlserver_grpc_client.py", sidecar.port)
            _check_rows(sidecar, [call["id"] for call in calls], calls)
            # The client asks whether the server lives: that is no prediction. A relay reports what
            # came of it once a second.
            sidecar.wait(lambda: sidecar.outcomes() == {"observed": len(calls), "skipped": 1})
        finally:
            sidecar.close()


def _rows(batch: Batch, names: Sequence[str] = NAMES) -> list[list[object]]:
    return [list(row) for row in zip(*(batch.features[name] for name in names), strict=True)]


def _check_exchanges(exchanges: Sequence[Exchange], calls: Sequence[dict[str, Any]]) -> None:
    """The codec against what each client says it sent and got."""
    assert len(exchanges) == len(calls)
    decoder = Decoder(DecoderSettings(features=NAMES, task="multiclass"))
    for exchange, call in zip(exchanges, calls, strict=True):
        batch = decoder.decode(exchange)
        assert set(batch.features) == set(NAMES)
        assert _rows(batch) == call["rows"]
        assert list(batch.outputs["prediction"]) == call["predictions"]
        assert list(batch.outputs) == ["prediction"]
        shares = [list(row) for row in zip(*batch.probabilities.values(), strict=True)]
        assert shares == call.get("probabilities", [])


def _check_sidecar(
    sidecar: Sidecar, exchanges: Sequence[Exchange], calls: Sequence[dict[str, Any]]
) -> None:
    """The running sidecar against the same."""
    _check_rows(sidecar, [exchange.prediction_id for exchange in exchanges], calls)


def _check_rows(sidecar: Sidecar, ids: Sequence[str], calls: Sequence[dict[str, Any]]) -> None:
    """Predictions by id, labels, and what was counted."""
    sent = [row for call in calls for row in call["rows"]]
    sidecar.wait(lambda: sidecar.metric("predictions_total") == len(sent))
    assert sidecar.outcomes().get("failed", 0) == 0
    for name, call in zip(ids, calls, strict=True):
        labels = [(value + 1) % 3 for value in call["predictions"]]
        item = {"prediction_id": name, "labels": labels}
        status, report = sidecar.feedback(item)
        assert (status, report["joined"]) == (202, len(labels)), report
        stored = sidecar.json(f"/api/v1/predictions/{name}")["rows"]
        assert [row["prediction"] for row in stored] == call["predictions"]
        assert [row["label"] for row in stored] == labels
    for index, name in enumerate(NAMES):
        column = sidecar.json(f"/api/v1/columns/{name}?role=feature")
        values = [row[index] for row in sent]
        assert column["rows"] == len(values)
        assert column["missing_ratio"] == 0
        assert column["mean"] == pytest.approx(sum(values) / len(values), rel=1e-9)


def _keep(name: str, exchanges: Sequence[Exchange]) -> None:
    """Where asked, write what passed for the quick tests: one of each kind of message."""
    if not os.environ.get("MODEL_SERVERS_RECORD"):
        return
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in exchanges:
        said = field(one.request_fields, b"content-type").decode()
        shape = ",".join(sorted(json.loads(one.request_body))) if "json" in said else ""
        kept.setdefault((one.target, said, shape), _record(name, one, said))
    path = KEPT / f"servers_{name}.yaml"
    head = f"# Exchanges of {name}'s server and clients, kept by tests/end_to_end/servers.\n"
    path.write_text(head + yaml.safe_dump(list(kept.values()), allow_unicode=True, width=100))


def _record(name: str, one: Exchange, said: str) -> dict[str, Any]:
    batch = Decoder(DecoderSettings(features=NAMES, task="multiclass")).decode(one)
    return {
        "name": f"{name} {one.target} {said}",
        "path": one.target,
        "content_type": said,
        "answer_type": field(one.response_fields, b"content-type").decode(),
        "request": base64.b64encode(one.request_body).decode(),
        "answer": base64.b64encode(one.response_body).decode(),
        "features": {key: list(values) for key, values in batch.features.items()},
        "outputs": {key: list(values) for key, values in batch.outputs.items()},
        "probabilities": {key: list(values) for key, values in batch.probabilities.items()},
    }


@pytest.mark.timeout(500)
def test_a_streamed_chat_is_a_row(tmp_path: Path) -> None:
    with serving("litserve", "chat_server.py", tmp_path, "/health") as port:
        sidecar = Sidecar(tmp_path, "--upstream", f"http://127.0.0.1:{port}")
        try:
            chats = [_chat(sidecar, "so many words", stream=stream) for stream in (True, False)]
            sidecar.wait(lambda: sidecar.metric("predictions_total") == 2)
            assert sidecar.outcomes().get("failed", 0) == 0
        finally:
            sidecar.close()
    decoder = Decoder(DecoderSettings(text=True))
    streamed, whole = (decoder.decode(chat) for chat in chats)
    for batch in (streamed, whole):
        assert list(batch.outputs["answer"]) == ["somanywords"]
        assert list(batch.outputs["answer_characters"]) == [11]
        assert list(batch.outputs["prediction"]) == ["stop"]
        assert list(batch.features["prompt_characters"]) == [13]
    assert list(streamed.outputs["answer_pieces"]) == [3]


def _chat(sidecar: Sidecar, text: str, *, stream: bool) -> Exchange:
    said = {"content-type": "application/json"}
    messages = [{"role": "user", "content": text}]
    body = json.dumps({"model": "m", "stream": stream, "messages": messages}).encode()
    path = "/v1/chat/completions"
    status, headers, answer = request(sidecar.port, "POST", path, body, said)
    assert status == 200
    assert headers["x-prediction-id"]
    lines: Callable[[dict[str, str]], bytes] = lambda fields: "".join(  # noqa: E731
        f"{name}: {value}\r\n" for name, value in fields.items()
    ).encode()
    return Exchange("c", "POST", path, status, 0.0, 0.1, lines(said), body, lines(headers), answer)
