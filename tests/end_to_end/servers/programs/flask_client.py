"""What a browser's form and a script send to a Flask app: `flask_client.py PORT`."""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from typing import Any

import iris

port = int(sys.argv[1])
calls: list[dict[str, Any]] = []


def post(path: str, body: bytes, content_type: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"content-type": content_type}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


for batch in iris.batches(5):
    found = post("/rows", json.dumps({"features": batch}).encode(), "application/json")
    calls.append({"rows": batch, "predictions": found["predictions"]})
for row in iris.batches(6)[2]:
    named = dict(zip(iris.NAMES, row, strict=True))
    found = post("/predict", json.dumps(named).encode(), "application/json")
    calls.append(
        {
            "rows": [row],
            "predictions": [found["class"]],
            "probabilities": [found["probabilities"]],
        }
    )
    form = urllib.parse.urlencode(named).encode()
    label = post("/form", form, "application/x-www-form-urlencoded")
    calls.append({"rows": [row], "predictions": [label]})
iris.report(calls)
