"""MLServer over gRPC: raw and typed tensors by Triton's client: `mlserver_grpc_client.py PORT`."""

from __future__ import annotations

import sys
import time
from typing import Any

import iris
import numpy as np
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

port = int(sys.argv[1])
calls: list[dict[str, Any]] = []
WANTED = [triton.InferRequestedOutput(name) for name in ("predict", "predict_proba")]


def ask_raw(client: Any, rows: list[list[float]], name: str) -> None:
    tensor = triton.InferInput("predict", [len(rows), 4], "FP64")
    tensor.set_data_from_numpy(np.array(rows))
    found = client.infer("iris", [tensor], outputs=WANTED, request_id=name)
    keep(rows, name, found)


def keep(rows: list[list[float]], name: str, found: Any) -> None:
    calls.append(
        {
            "id": name,
            "rows": rows,
            "predictions": found.as_numpy("predict").reshape(-1).tolist(),
            "probabilities": found.as_numpy("predict_proba").tolist(),
        }
    )


def ask_typed(stub: Any, rows: list[list[float]], name: str) -> None:
    """One tensor a column, with typed contents."""
    asked = service_pb2.ModelInferRequest(model_name="iris", id=name)
    asked.parameters["content_type"].string_param = "pd"
    for index, column in enumerate(iris.NAMES):
        tensor = asked.inputs.add(name=column, datatype="FP64", shape=[len(rows), 1])
        tensor.contents.fp64_contents.extend(row[index] for row in rows)
    for output in ("predict", "predict_proba"):
        asked.outputs.add(name=output)
    told = {one.name: one for one in stub.ModelInfer(asked).outputs}
    shares = np.array(told["predict_proba"].contents.fp64_contents)
    calls.append(
        {
            "id": name,
            "rows": rows,
            "predictions": list(told["predict"].contents.int64_contents),
            "probabilities": shares.reshape(len(rows), -1).tolist(),
        }
    )


client = triton.InferenceServerClient(f"127.0.0.1:{port}")
for _ in range(60):  # it is ready over HTTP a moment before it is over gRPC
    try:
        client.is_server_live()
        break
    except InferenceServerException:
        time.sleep(0.5)
one, two, three, four, *_ = iris.batches(5)
for number, batch in enumerate((one, two)):
    ask_raw(client, batch, f"raw-{number}")
with triton.grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    for number, batch in enumerate((three, four)):
        ask_typed(stub, batch, f"typed-{number}")
client.close()
iris.report(calls)
