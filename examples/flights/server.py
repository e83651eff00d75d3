"""The model's own server: one flight at /predict, many at /invocations in MLflow's shape.

Knows nothing of a sidecar in front of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # it has no types
import orjson
import pandas as pd
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from examples.flights.data import FEATURES, NUMERIC

_JSON = "application/json"
_DTYPES = dict.fromkeys(NUMERIC, "float64")  # null becomes NaN, which the model takes for missing

Rows = Callable[[Any], pd.DataFrame]


class _BadInputError(Exception):
    """The body is not a flight, or not flights; the text goes to the client."""


def create_app(model: Any) -> FastAPI:  # noqa: ANN401 - sklearn has no types
    """An application that answers with the model's predictions."""
    app = FastAPI(title="Arrival delay of flights from New York City")

    async def predictions(request: Request, rows: Rows) -> list[float]:
        frame = _frame(await request.body(), rows)
        # The model would hold the event loop, and with it /health, for milliseconds.
        predicted: list[float] = (await run_in_threadpool(model.predict, frame)).tolist()
        return predicted

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        """One flight as an object of named columns → its delay in minutes."""
        (minutes,) = await predictions(request, _one_flight)
        return _answer({"prediction": minutes})

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        """`dataframe_split` or `dataframe_records` → a delay for each row."""
        return _answer({"predictions": await predictions(request, _many_flights)})

    @app.exception_handler(_BadInputError)
    async def refuse(_: Request, error: Exception) -> Response:
        return _answer({"error": str(error)}, status=400)

    @app.get("/health")
    async def health() -> Response:
        """The model is loaded."""
        return _answer({"status": "ok"})

    return app


def _frame(body: bytes, rows: Rows) -> pd.DataFrame:
    try:
        frame = rows(orjson.loads(body))
        if absent := [name for name in FEATURES if name not in frame]:
            raise _BadInputError(f"without {', '.join(absent)}")
        return frame[list(FEATURES)].astype(_DTYPES)
    except KeyError as error:
        raise _BadInputError(f"without {error.args[0]}") from None
    except (TypeError, ValueError) as error:
        raise _BadInputError(f"not a table of flights: {error}") from None


def _one_flight(payload: Any) -> pd.DataFrame:  # noqa: ANN401 - any JSON
    if not isinstance(payload, dict):
        raise TypeError("an object of named columns is expected")
    return pd.DataFrame([payload])


def _many_flights(payload: Any) -> pd.DataFrame:  # noqa: ANN401 - any JSON
    if not isinstance(payload, dict):
        raise TypeError("an object with dataframe_split or dataframe_records is expected")
    if "dataframe_records" in payload:
        return pd.DataFrame(payload["dataframe_records"])
    split = payload["dataframe_split"]
    return pd.DataFrame(split["data"], columns=split["columns"])


def _answer(content: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=_JSON)


def main() -> None:
    """Serve a trained model until it is told to stop."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", type=Path, default=Path("model.joblib"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    model = joblib.load(arguments.model)  # our own file: a pickle must never come from elsewhere
    uvicorn.run(create_app(model), host=arguments.host, port=arguments.port, access_log=False)


if __name__ == "__main__":
    main()
