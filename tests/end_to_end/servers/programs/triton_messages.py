"""Messages of Triton's own client, request and answer, with what its own decoder reads in them."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import serialize_byte_tensor

ROWS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]
NAMES = ["blå", "x"]


def tensor(name: str, values: Any, datatype: str, *, binary: bool) -> Any:
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def answer(request_id: str) -> tuple[bytes, int]:
    """As Triton writes it; the client has no encoder for this side."""
    labels = np.array([1, 0], "<i8").tobytes()
    shares = np.array([[0.25, 0.75], [0.9, 0.1]], "<f4").tobytes()
    texts = serialize_byte_tensor(np.array([b"cat", b"dog"], object)).item()
    parts = [("label", [2], "INT64", labels), ("shares", [2, 2], "FP32", shares),
             ("text", [2, 1], "BYTES", texts)]  # fmt: skip
    head = json.dumps(
        {
            "id": request_id,
            "model_name": "m",
            "model_version": "1",
            "outputs": [
                {
                    "name": name, "shape": shape, "datatype": datatype,
                    "parameters": {"binary_data_size": len(raw)},
                }
                for name, shape, datatype, raw in parts
            ],
        }
    ).encode()  # fmt: skip
    return head + b"".join(raw for *_, raw in parts), len(head)


def message(inputs: list[Any], features: dict[str, list[Any]], request_id: str) -> dict[str, Any]:
    body, length = triton.InferenceServerClient.generate_request_body(inputs, request_id=request_id)
    answered, answer_length = answer(request_id)
    read = triton.InferenceServerClient.parse_response_body(answered, header_length=answer_length)
    return {
        "request": base64.b64encode(body).decode(),
        "request_header_length": length,
        "answer": base64.b64encode(answered).decode(),
        "answer_header_length": answer_length,
        "features": features,
        "label": read.as_numpy("label").tolist(),
        "shares": [[float(str(one)) for one in row] for row in read.as_numpy("shares")],
        "text": [one.decode() for one in read.as_numpy("text").reshape(-1)],
    }


matrix = np.array(ROWS, "f4")
texts = np.array([[name] for name in NAMES], object)
whole = np.array([[7], [-8]], "i4")
wide = {f"f{i}": [row[i] for row in ROWS] for i in range(4)}
json.dump(
    [
        message([tensor("x", matrix, "FP32", binary=True)], wide, "one"),
        message([tensor("x", matrix, "FP32", binary=False)], wide, ""),
        message(
            [
                tensor("name", texts, "BYTES", binary=True),
                tensor("count", whole, "INT32", binary=True),
                tensor("share", matrix[:, :1].astype("f2"), "FP16", binary=True),
                tensor("on", np.array([[True], [False]]), "BOOL", binary=False),
            ],
            {
                "name": NAMES, "count": [7, -8],
                "share": [float(str(one)) for one in matrix[:, 0].astype("f2")],
                "on": [True, False],
            },
            "three",
        ),
    ],
    sys.stdout,
    ensure_ascii=False,
    indent=1,
)  # fmt: skip
