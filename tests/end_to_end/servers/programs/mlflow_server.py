"""MLflow's own scoring server: `mlflow_server.py PORT FOLDER`."""

from __future__ import annotations

import os
import sys

import iris
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature

port, folder = sys.argv[1:]
features, labels = iris.data()
frame = pd.DataFrame(features, columns=list(iris.NAMES))
path = os.path.join(folder, "model")  # noqa: PTH118 - mlflow takes text
mlflow.sklearn.save_model(iris.model(), path, signature=infer_signature(frame, labels))
serve = ["-m", "mlflow", "models", "serve", "-m", path, "-p", port, "-h", "127.0.0.1"]
os.execv(sys.executable, [sys.executable, *serve, "--env-manager", "local"])  # noqa: S606
