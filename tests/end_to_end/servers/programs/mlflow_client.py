"""MLflow's scoring client, and every other form that its server takes: `mlflow_client.py PORT`."""

from __future__ import annotations

import io
import sys
from typing import Any

import iris
import pandas as pd
import requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

port = int(sys.argv[1])
names = list(iris.NAMES)
calls: list[dict[str, Any]] = []


def frame(rows: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=names)


def post(rows: list[list[float]], body: Any, content_type: str = "application/json") -> None:
    how = {"json": body} if content_type == "application/json" else {"data": body}
    said = {"content-type": content_type}
    answer = requests.post(f"http://127.0.0.1:{port}/invocations", headers=said, timeout=30, **how)
    answer.raise_for_status()
    calls.append({"rows": rows, "predictions": answer.json()["predictions"]})


def parquet(rows: list[list[float]]) -> bytes:
    sink = io.BytesIO()
    frame(rows).to_parquet(sink)
    return sink.getvalue()


one, two, three, four, five, six = iris.batches(1)
client = ScoringServerClient("127.0.0.1", port)
for batch in (one, two):
    found = client.invoke(frame(batch)).get_predictions()
    calls.append({"rows": batch, "predictions": found[0].tolist()})
post(three, {"dataframe_records": frame(three).to_dict("records"), "params": {}})
post(four, {"inputs": frame(four).to_dict("list")})
post(five, frame(five).to_csv(index=False), "text/csv")
post(six, parquet(six), "application/vnd.apache.parquet")
seven = iris.batches(2)[2]
post(seven, {"instances": frame(seven).to_dict("records")})
iris.report(calls)
