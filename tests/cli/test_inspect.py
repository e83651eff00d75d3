"""`sidelight inspect`: the same exchange out of every kind of capture, and advice that holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from monitor.cli import captured
from monitor.cli.commands import app
from monitor.codec.explain import ADVICE, explain
from monitor.codec.settings import DecoderSettings
from monitor.errors import SidelightError
from monitor.records.exchange import Exchange
from tests.end_to_end.sidecar import Model, model

REQUEST, ANSWER = '{"a": 1, "b": "x"}', '{"prediction": 2.5}'
HEAD = "POST /predict?q=1 HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\n"
RAW = f"{HEAD}\r\n{REQUEST}\r\nHTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n{ANSWER}\n"


def _har() -> str:
    content = {"text": base64.b64encode(ANSWER.encode()).decode(), "encoding": "base64"}
    entry = {
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": "http://m:8000/predict?q=1",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "postData": {"text": REQUEST},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Encoding", "value": "gzip"}],
            "content": content,
        },
    }
    return json.dumps({"log": {"version": "1.2", "entries": [entry]}})


def _simple() -> str:
    request = {"path": "/predict?q=1", "body": json.loads(REQUEST)}
    return json.dumps({"request": request, "response": {"body": ANSWER}})


def _trace() -> str:
    """As `curl --trace` writes it."""

    def section(title: str, text: str) -> str:
        raw = text.encode()
        lines = [
            f"{at:04x}: {raw[at : at + 16].hex(' ')} {'.' * len(raw[at : at + 16])}"
            for at in range(0, len(raw), 16)
        ]
        return "\n".join([f"{title}, {len(raw)} bytes ({len(raw):#x})", *lines])

    chunked = f"{len(ANSWER):x}\r\n{ANSWER}\r\n0\r\n\r\n"
    return "\n".join(
        [
            "== Info: Connected to m",
            section("=> Send header", f"{HEAD}\r\n"),
            section("=> Send data", REQUEST),
            section("<= Recv header", "HTTP/1.1 100 Continue\r\n\r\n"),
            section("<= Recv header", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            section("<= Recv data", chunked),
            "== Info: Connection #0 left intact",
        ]
    )


CAPTURES: dict[str, Callable[[], str]] = {
    "raw": lambda: RAW,
    "raw with plain line ends": lambda: RAW.replace("\r\n", "\n"),
    "har": _har,
    "simple": _simple,
    "list": lambda: f"[{_simple()}]",
    "trace": _trace,
}


@pytest.mark.parametrize("capture", CAPTURES)
def test_every_capture_gives_the_same_rows(capture: str, tmp_path: Path) -> None:
    path = tmp_path / "captured"
    path.write_text(CAPTURES[capture](), "utf-8", newline="")
    result = CliRunner().invoke(app, ["inspect", str(path), "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.output)
    assert (found["format"], found["target"], found["rows"]) == ("named", "/predict?q=1", 1)
    assert found["features"] == {"a": [1], "b": ["x"]}
    assert found["outputs"] == {"prediction": [2.5]}


def test_two_files(tmp_path: Path) -> None:
    request, answer = tmp_path / "request", tmp_path / "answer"
    request.write_text(f"{HEAD}\r\n[[1, 2]]", newline="")
    answer.write_text("[7]")
    arguments = ["inspect", str(request), "--answer", str(answer), "--features", "w, h", "--json"]
    (found,) = json.loads(CliRunner().invoke(app, arguments).output)
    assert found["features"] == {"w": [1], "h": [2]}


def test_what_cannot_be_read_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    request = {"path": "/v1/models/m:predict", "body": {"instances": [[1], [2]]}}
    path.write_text(json.dumps({"request": request, "response": {"body": {"predictions": [1]}}}))
    result = CliRunner().invoke(app, ["inspect", str(path)])
    assert result.exit_code == 1
    assert "rows_differ" in result.output
    assert "observe.outputs" in result.output
    (found,) = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--json"]).output)
    assert not found["readable"]
    claims = {one["format"]: one["claims"] for one in found["formats"]}
    assert claims["instances"]
    assert not claims["named"]


@pytest.mark.parametrize(
    ("request_", "response", "reason"),
    [
        ({"method": "GET"}, {"body": "[1]"}, "method"),
        ({"body": {"a": 1}}, {"status": 404, "body": "{}"}, "status"),
        ({"body": {"a": "x" * (1 << 20)}}, {"body": "[1]"}, "size"),
    ],
)
def test_what_would_not_be_offered_is_said(
    request_: dict[str, Any], response: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"request": request_, "response": response}))
    result = CliRunner().invoke(app, ["inspect", str(path), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)[0]["reason"] == reason


def test_the_settings_of_a_file_are_used(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    observe = 'observe: {paths: [/p], inputs: "$.rows[*]", outputs: "$.y[*]"}'
    config.write_text(f"upstream: http://127.0.0.1:1\n{observe}\n")
    path = tmp_path / "one.json"
    request = {"path": "/p", "body": {"rows": [{"a": 1}, {"a": 2}]}}
    path.write_text(json.dumps({"request": request, "response": {"body": {"y": [3, 4]}}}))
    arguments = ["inspect", str(path), "--config", str(config), "--json"]
    (found,) = json.loads(CliRunner().invoke(app, arguments).output)
    assert (found["format"], found["outputs"]) == ("observe.inputs", {"prediction": [3, 4]})


def test_the_names_under_which_labels_join_are_told(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    body = {"id": "order-7", "x": 1.5}
    told = {"request": {"path": "/p", "headers": {"ce-id": "E1"}, "body": body},
            "response": {"status": 200, "headers": {}, "body": {"prediction": 2}}}  # fmt: skip
    path.write_text(json.dumps(told))
    (found,) = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--json"]).output)
    assert found["other_names"] == {"order-7": "body", "E1": "event"}
    shown = CliRunner().invoke(app, ["inspect", str(path)]).output
    assert "labels join under: order-7 (body), E1 (event)" in shown


@pytest.mark.end_to_end
def test_a_live_model_is_asked_once(tmp_path: Path) -> None:
    running: Model
    with model() as running:
        body = tmp_path / "body.json"
        body.write_text('{"instances": [{"x": 4}]}')
        url = f"{running.url}/v1/models/m:predict"
        arguments = ["inspect", url, "--data", f"@{body}", "-H", "x-request-id: q1", "--json"]
        (found,) = json.loads(CliRunner().invoke(app, arguments).output)
        assert found["outputs"] == {"prediction": [8]}
        assert running.seen == ["q1"]


@pytest.mark.parametrize("content", ["", "hello", "{", '{"a": 1}', '{"log": {}}', "== Info: x\n"])
def test_files_that_hold_no_exchange_are_errors_of_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_text(content)
    result = CliRunner().invoke(app, ["inspect", str(path)])
    assert isinstance(result.exception, SidelightError)


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: RAW.encode() + text.encode())
)
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        found = captured.exchanges(content)
    except SidelightError:
        return
    assert all(isinstance(one, Exchange) for one in found)
    for one in found:
        explain(one, DecoderSettings())


def test_every_reason_has_its_meaning() -> None:
    page = (Path(__file__).parents[2] / "docs" / "wire-formats.md").read_text("utf-8")
    reasons = {
        line.split("`")[1] for line in page.split("## Reasons")[1].splitlines() if "| `" in line
    }
    assert reasons <= ADVICE.keys()
