"""LitServe, one row a request: `litserve_server.py PORT FOLDER`."""

from __future__ import annotations

import sys
from typing import Any

import iris
import litserve


class Flowers(litserve.LitAPI):  # type: ignore[misc]  # litserve has no types
    def setup(self, device: str) -> None:  # noqa: ARG002 - its signature
        self.model = iris.model()

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - litserve reads annotations
        return [request["input"][name] for name in iris.NAMES]

    def predict(self, row: list[float]) -> Any:
        return self.model.predict_proba([row])[0]

    def encode_response(self, shares: Any) -> dict[str, Any]:
        return {"output": {"label": int(shares.argmax()), "probabilities": shares.tolist()}}


if __name__ == "__main__":
    server = litserve.LitServer(Flowers(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1
    )
