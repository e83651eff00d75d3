"""Bytes that real servers and clients sent, kept by tests/end_to_end/servers.

The values in these files were held against what each client said it sent and got.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.codec import Decoder, DecoderSettings
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

HERE = Path(__file__).parent
NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
KEPT = [
    one
    for path in sorted(HERE.glob("servers_*.yaml"))
    for one in yaml.safe_load(path.read_text("utf-8"))
]
TRITON = json.loads((HERE / "triton.json").read_text("utf-8"))


def _lists(columns: Any) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}


@pytest.mark.parametrize("one", KEPT, ids=lambda one: one["name"])
def test_what_passed_is_read_as_it_was(one: dict[str, Any], exchange: Make) -> None:
    said = f"content-type: {one['answer_type']}\r\n".encode() if one["answer_type"] else b""
    request, answer = (base64.b64decode(one[side]) for side in ("request", "answer"))
    read = Decoder(DecoderSettings(features=NAMES, task="multiclass"))
    batch = read.decode(
        exchange(request, answer, one["path"], one["content_type"], response_fields=said)
    )
    assert _lists(batch.features) == one["features"]
    assert _lists(batch.outputs) == one["outputs"]
    assert _lists(batch.probabilities) == one["probabilities"]


@pytest.mark.parametrize("one", TRITON, ids=["binary", "json", "columns"])
def test_tritons_client_is_read_as_it_reads_itself(one: dict[str, Any], exchange: Make) -> None:
    """Requests from its encoder; the answer's values are those of its own decoder."""
    fields = [b"", b""]
    for index, side in enumerate(("request", "answer")):
        if length := one[f"{side}_header_length"]:
            fields[index] = f"Inference-Header-Content-Length: {length}\r\n".encode()
    request, answer = (base64.b64decode(one[side]) for side in ("request", "answer"))
    batch = Decoder().decode(exchange(request, answer, "/v2/models/m/infer", None, *fields))
    assert _lists(batch.features) == one["features"]
    assert _lists(batch.outputs) == {"prediction": one["label"], "text": one["text"]}
    assert [list(row) for row in zip(*batch.probabilities.values(), strict=True)] == one["shares"]
