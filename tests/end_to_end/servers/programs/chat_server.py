"""LitServe's OpenAI interface, streaming an echo: `chat_server.py PORT FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import litserve


class Echo(litserve.LitAPI):  # type: ignore[misc]  # litserve has no types
    def setup(self, device: str) -> None:
        pass

    def predict(self, request: Any) -> Iterator[str]:
        yield from request.messages[-1].content.split(" ")


if __name__ == "__main__":
    api = Echo(spec=litserve.OpenAISpec())
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1
    )
