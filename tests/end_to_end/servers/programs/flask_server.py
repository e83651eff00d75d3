"""A Flask app as people write them: JSON, rows, and a form with a plain answer: `… PORT FOLDER`."""

from __future__ import annotations

import sys
from typing import Any

import flask
import iris
import waitress

app = flask.Flask(__name__)
model = iris.model()


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/predict")
def predict() -> Any:
    row = [flask.request.get_json()[name] for name in iris.NAMES]
    shares = model.predict_proba([row])[0]
    return {"class": int(shares.argmax()), "probabilities": shares.tolist()}


@app.post("/rows")
def rows() -> Any:
    return {"predictions": model.predict(flask.request.get_json()["features"]).tolist()}


@app.post("/form")
def form() -> Any:
    row = [float(flask.request.form[name]) for name in iris.NAMES]
    answer = str(model.predict([row])[0])
    return flask.Response(answer, content_type="text/plain; charset=utf-8")


waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=4)
