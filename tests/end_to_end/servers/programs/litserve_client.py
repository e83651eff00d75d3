"""One row a request, as LitServe's generated client sends them: `litserve_client.py PORT`."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

import iris

port = int(sys.argv[1])
calls: list[dict[str, Any]] = []
for row in (row for batch in iris.batches(4) for row in batch):
    body = json.dumps({"input": dict(zip(iris.NAMES, row, strict=True))}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        found = json.load(answer)["output"]
    calls.append(
        {
            "rows": [row],
            "predictions": [found["label"]],
            "probabilities": [found["probabilities"]],
        }
    )
iris.report(calls)
