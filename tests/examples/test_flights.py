"""The flights' data, model, server and replay, on the real data and over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import cache

import httpx
import numpy as np
import orjson
import pandas as pd
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from examples.flights import data
from examples.flights.journal import joined_table
from examples.flights.replay import Replay, ReplaySettings, thinning
from examples.flights.server import create_app
from examples.flights.train import STEPS, Trained, train
from monitor.demo.children import free_ports


@cache
def flights() -> pd.DataFrame:
    return data.load_flights()


@cache
def trained() -> Trained:
    return train(data.training_flights(flights()).iloc[::20], lambda: None)


def test_all_flights_that_arrived_are_there_in_order() -> None:
    table = flights()
    assert len(table) == 336_776 - 9_430  # rows of the package, less those without arr_delay
    assert table["departs"].is_monotonic_increasing
    assert list(table.columns) == ["departs", *data.FEATURES, data.TARGET]
    assert table[["dep_delay", "scheduled_hour", "scheduled_minutes"]].notna().all().all()
    assert table["scheduled_minutes"].between(0, 24 * 60 - 1).all()


def test_a_known_flight_is_read_right() -> None:
    # The first row: UA 1545, EWR to IAH, 05:15 to 08:19, departed 2 and arrived 11 minutes late.
    first = flights().iloc[0]
    assert first["departs"] == pd.Timestamp("2013-01-01 05:15")
    assert (first["carrier"], first["origin"], first["dest"]) == ("UA", "EWR", "IAH")
    assert (first["dep_delay"], first["arr_delay"], first["distance"]) == (2, 11, 1400)
    assert (first["scheduled_minutes"], first["weekday"]) == (184, "Tue")
    assert first["pressure"] == pytest.approx(1011.9)


def test_training_and_later_flights_share_no_row_and_lose_none() -> None:
    learned, later = data.training_flights(flights()), data.later_flights(flights())
    assert len(learned) + len(later) == len(flights())
    assert learned["departs"].max() < later["departs"].min()
    parts = [data.later_flights(flights(), 7, offset) for offset in range(7)]
    assert sum(len(part) for part in parts) == len(later)


def test_thinning_keeps_to_the_rate() -> None:
    assert len(data.later_flights(flights(), thinning(249_000, 60.0))) <= 60 * 900


def test_training_reports_its_steps_and_predicts_unseen_rows() -> None:
    steps: list[None] = []
    learned = data.training_flights(flights()).iloc[::20]
    result = train(learned, lambda: steps.append(None))
    assert len(steps) == STEPS
    error = result.table["prediction"] - result.table[data.TARGET]
    baseline = np.abs(learned[data.TARGET] - learned[data.TARGET].median()).mean()
    assert error.abs().mean() < 0.75 * baseline
    seen = result.model.predict(learned[list(data.FEATURES)]) - learned[data.TARGET]
    assert np.abs(seen).mean() < error.abs().mean()  # the reference's are the honest ones


def post(*calls: tuple[str, bytes]) -> list[httpx.Response]:
    """The application's answers to calls on one connection."""

    async def conversation() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(trained().model))
        async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
            return [await client.post(path, content=body) for path, body in calls]

    return asyncio.run(conversation())


def test_the_server_answers_one_and_many_alike() -> None:
    rows = data.later_flights(flights(), 5000)
    inputs = rows[list(data.FEATURES)]
    content = inputs.astype(object).where(inputs.notna(), None)
    split = {"columns": list(content.columns), "data": content.to_numpy().tolist()}
    singles = content.to_dict("records")[:5]
    many, records, *ones = post(
        ("/invocations", orjson.dumps({"dataframe_split": split})),
        ("/invocations", orjson.dumps({"dataframe_records": content.to_dict("records")})),
        *(("/predict", orjson.dumps(row)) for row in singles),
    )
    predictions = many.json()["predictions"]
    np.testing.assert_array_equal(predictions, trained().model.predict(inputs))
    assert records.json()["predictions"] == predictions
    assert [one.json()["prediction"] for one in ones] == predictions[:5]


@pytest.mark.parametrize(
    "call",
    [
        ("/predict", b""),
        ("/predict", b"[1]"),
        ("/predict", b'{"carrier": "UA"}'),
        ("/invocations", b"{}"),
        ("/invocations", b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}'),
        ("/invocations", b'{"dataframe_split": [1]}'),
        ("/invocations", b'{"dataframe_records": 5}'),
    ],
)
def test_bad_input_is_a_400_with_a_reason(call: tuple[str, bytes]) -> None:
    (answer,) = post(call)
    assert answer.status_code == 400
    assert answer.json()["error"]


class Labels:
    """Takes labels as a sidecar would, and keeps them; refuses the first with 503."""

    def __init__(self) -> None:
        self.kept: dict[str, list[float]] = {}
        self.calls = 0

    def routes(self, app: FastAPI) -> None:
        @app.middleware("http")
        async def identify(request: Request, call_next: object) -> Response:
            response: Response = await call_next(request)  # type: ignore[operator]  # starlette's
            self.calls += 1
            response.headers["x-prediction-id"] = f"id-{self.calls}"
            return response

        @app.post("/feedback")
        async def feedback(request: Request) -> Response:
            lines = [orjson.loads(line) for line in (await request.body()).splitlines()]
            if not self.kept:
                self.kept["refused"] = []
                return Response(status_code=503)
            for line in lines:
                self.kept[line["prediction_id"]] = line.get("labels") or [line["label"]]
            return Response(orjson.dumps({"accepted": len(lines)}), 202)


@pytest.fixture
def served() -> Iterator[tuple[str, Labels]]:
    (port,) = free_ports(1)
    labels, app = Labels(), create_app(trained().model)
    labels.routes(app)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}", labels
    server.should_exit = True
    thread.join()


@pytest.mark.end_to_end
def test_a_replay_sends_every_flight_once_and_every_label_to_its_prediction(
    served: tuple[str, Labels],
) -> None:
    url, labels = served
    later = data.later_flights(flights(), 400)
    replay = Replay(later, ReplaySettings(url, url, seconds=1.0, label_delay_seconds=0.1))
    asyncio.run(replay.run())
    assert (replay.answered_rows, replay.failed_requests) == (len(later), 0)
    assert replay.journal.labelled_rows == len(later)
    assert replay.refused_labels == 0
    joined = joined_table(replay.journal.posts, later).sort_index()
    assert list(joined.index) == list(range(len(later)))
    expected = trained().model.predict(later[list(data.FEATURES)])
    np.testing.assert_allclose(joined["prediction"], expected, rtol=1e-12)
    for answer in replay.journal.answers:
        truth = later[data.TARGET].iloc[answer.first : answer.first + len(answer.predictions)]
        assert labels.kept[answer.prediction_id] == truth.tolist()


@pytest.mark.end_to_end
def test_a_model_that_is_gone_is_counted_and_ends_the_replay() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    later = data.later_flights(flights(), 5000)
    replay = Replay(later, ReplaySettings(url, url, seconds=0.1, label_delay_seconds=0.1))
    asyncio.run(replay.run())
    assert replay.answered_rows == 0
    assert replay.failed_requests > 0
    assert replay.journal.answers == []
