"""MLServer's scikit-learn runtime: `mlserver_server.py PORT FOLDER`."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import iris
import joblib

port, folder = sys.argv[1:]
place = Path(folder)
joblib.dump(iris.model(), place / "model.joblib")
model = {
    "name": "iris",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "./model.joblib", "version": "v1"},
}
(place / "model-settings.json").write_text(json.dumps(model))


def free() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found: int = listener.getsockname()[1]
        return found


settings = {
    "host": "127.0.0.1", "http_port": int(port), "grpc_port": free(), "metrics_port": free(),
    "parallel_workers": 0, "debug": False,
}  # fmt: skip
(place / "settings.json").write_text(json.dumps(settings))
command = str(Path(sys.executable).with_name("mlserver"))
os.execv(command, [command, "start", folder])  # noqa: S606
