"""MLServer's own codecs, and Triton's client in JSON: `mlserver_client.py PORT`."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

import iris
import numpy as np
import pandas as pd
import tritonclient.http as triton
from mlserver.codecs import NumpyRequestCodec, PandasCodec
from mlserver.types import RequestOutput

port = int(sys.argv[1])
calls: list[dict[str, Any]] = []


def post(rows: list[list[float]], request: Any) -> None:
    request.outputs = [RequestOutput(name="predict"), RequestOutput(name="predict_proba")]
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v2/models/iris/infer",
        request.model_dump_json(exclude_none=True).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as response:  # noqa: S310 - loopback
        answer = json.load(response)
    tensors = {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in
               answer["outputs"]}  # fmt: skip
    calls.append(
        {
            "rows": rows,
            "predictions": tensors["predict"].reshape(-1).tolist(),
            "probabilities": tensors["predict_proba"].tolist(),
        }
    )


def ask_triton(client: Any, rows: list[list[float]]) -> None:
    tensor = triton.InferInput("predict", [len(rows), 4], "FP64")
    tensor.set_data_from_numpy(np.array(rows), binary_data=False)
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in
              ("predict", "predict_proba")]  # fmt: skip
    found = client.infer("iris", [tensor], outputs=wanted, request_id=f"triton-{len(calls)}")
    calls.append(
        {
            "rows": rows,
            "predictions": found.as_numpy("predict").reshape(-1).tolist(),
            "probabilities": found.as_numpy("predict_proba").tolist(),
        }
    )


one, two, three, four, five, six = iris.batches(3)
for batch in (one, two):
    frame = pd.DataFrame(batch, columns=list(iris.NAMES))
    post(batch, PandasCodec.encode_request(frame))
for batch in (three, four):
    post(batch, NumpyRequestCodec.encode_request(np.array(batch)))
client = triton.InferenceServerClient(f"127.0.0.1:{port}")
for batch in (five, six):
    ask_triton(client, batch)
client.close()
iris.report(calls)
