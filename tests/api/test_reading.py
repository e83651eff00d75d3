"""What may be read: each answer against its promised shape, with nothing in it that is no JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
import pytest
from pydantic import BaseModel

from monitor.api import label_shapes, performance_shapes, schemas, views
from monitor.snapshot import ReferenceInfo, Snapshot, Status
from tests.api.conftest import NOW

EMPTY = Snapshot("m", "1", 0.0, 0.0, 0.0, 0, ReferenceInfo("learning", "", 1240, 5000))
SHAPES = {
    "/api/v1/drift": schemas.Drift,
    "/api/v1/performance": performance_shapes.Performance,
    "/api/v1/alerts": schemas.Alerts,
    "/api/v1/health": schemas.Health,
    "/api/v1/columns": schemas.Outlines,
}


def strict(body: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(body, parse_constant=refuse)


@pytest.mark.parametrize(("path", "shape"), SHAPES.items())
@pytest.mark.parametrize("state", ["full", "empty"])
def test_answers_have_their_shape(
    client: Any, house: Any, path: str, shape: type[BaseModel], state: str
) -> None:
    if state == "empty":
        house.current = EMPTY
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    shape.model_validate(strict(answer.content))


def test_drift(client: Any) -> None:
    found = client.get("/api/v1/drift").json()
    assert found["evaluated_at"] == "2026-11-01T10:00:00.000Z"
    assert found["window"] == {
        "start": "2026-11-01T09:00:00.000Z", "end": "2026-11-01T10:00:00.000Z", "rows": 400,
    }  # fmt: skip
    first, _, last = found["columns"]
    assert (first["column"], first["status"], first["score"]) == ("a/b c", "drift", 0.5)
    assert first["scores"] == {"psi": 0.5, "ks": None}, "infinity is not JSON"
    assert (last["status"], last["score"], last["threshold"]) == ("insufficient", None, None)


def test_a_column_by_any_name(client: Any) -> None:
    found = client.get("/api/v1/columns/a/b%20c").json()
    schemas.Column.model_validate(found)
    assert found["bins"] == [
        {"bin": "< 0", "reference": 0.5, "current": 0.25},
        {"bin": ">= 0", "reference": 0.5, "current": None},
    ]
    assert client.get("/api/v1/columns/a%2Fb%20c").status_code == 200


def test_columns_in_outline(client: Any, house: Any) -> None:
    for minute in (1, 2):
        moved = replace(house.current.readings[0], score=0.25 * minute)
        readings = (moved, *house.current.readings[1:])
        house.current = replace(house.current, readings=readings, evaluated_at=NOW + 60 * minute)
        house.history.note(house.current)
    found = strict(client.get("/api/v1/columns").content)
    assert found["at"] == ["2026-11-01T10:01:00.000Z", "2026-11-01T10:02:00.000Z"]
    first, same, few = found["columns"]
    assert (first["column"], first["role"]) == ("a/b c", "feature")
    assert (first["score"], first["reference"], first["current"]) == (
        [0.25, 0.5], [0.5, 0.5], [0.25, None],
    )  # fmt: skip
    assert [same["role"], few["role"]] == ["feature", "prediction"]
    assert few["score"] == [None, None], "no score is not a score of zero"
    column = strict(client.get("/api/v1/columns/a/b%20c").content)
    assert column["history"] == {"at": found["at"], "score": first["score"]}


def test_outlines_are_rough_at_any_size() -> None:
    values = [0.0, 123456.0, 0.000123456, -7.65432, float("nan"), float("inf")]
    found = json.loads(views.dump({"x": views._rough(values)}))["x"]
    assert found == [0.0, 123500.0, 0.0001235, -7.654, None, None]


def test_columns_of_one_name_are_told_apart_by_role(client: Any) -> None:
    assert client.get("/api/v1/columns/same").json()["role"] == "feature"
    output = client.get("/api/v1/columns/same?role=prediction").json()
    assert (output["role"], output["roles"]) == ("prediction", ["feature", "prediction"])
    assert client.get("/api/v1/columns/same?role=label").status_code == 404
    assert client.get("/api/v1/columns/none").json() == {"error": "there is no such column"}


def test_performance(client: Any) -> None:
    found = client.get("/api/v1/performance").json()
    assert (found["realised"]["rmse"], found["realised"]["rows"]) == (4.0, 300)
    assert found["reference"]["rmse"] == 3.0
    assert (found["estimated"], found["segments"]) == (None, [])


def test_alerts(client: Any) -> None:
    (alert,) = client.get("/api/v1/alerts").json()["alerts"]
    assert (alert["state"], alert["fired_at"]) == ("firing", "2026-11-01T09:57:00.000Z")


def test_health(client: Any) -> None:
    found = client.get("/api/v1/health").json()
    assert found["queue_bytes"] == 77
    assert found["observations"] == [{"outcome": "observed", "reason": "", "exchanges": 8}]
    assert found["deliveries"] == [{"sink": "hook", "outcome": "sent", "count": 2}]


def test_views_are_made_once_a_snapshot(client: Any, house: Any) -> None:
    answers = views.Answers(house.snapshot)
    assert answers.body(views.drift) is answers.body(views.drift)
    before = answers.body(views.drift)
    house.current = replace(house.current, window_rows=401)
    assert answers.body(views.drift) != before


def test_numbers_of_numpy_and_broken_text_do_not_break_an_answer(client: Any, house: Any) -> None:
    reading = replace(
        house.current.readings[0],
        column="\ud800",
        score=np.float64(0.5),
        mean=np.float64("nan"),
        rows=2**70,
    )
    house.current = replace(house.current, readings=(reading,))
    (column,) = strict(client.get("/api/v1/drift").content)["columns"]
    assert (column["column"], column["score"], column["mean"]) == ("?", 0.5, None)


def test_a_prediction_and_its_label(client: Any) -> None:
    path = "/api/v1/predictions/abc"
    before = client.get(path).json()
    label_shapes.Predicted.model_validate(before)
    assert before["rows"][0]["label"] is None
    client.post({"prediction_id": "abc", "label": 12.5}, {"x-sidelight-source": "job"})
    (row,) = client.get(path).json()["rows"]
    assert (row["prediction"], row["label"], row["source"]) == (1.5, 12.5, "job")
    assert row["observed_at"] == "2026-11-01T10:00:00.000Z"


@pytest.mark.parametrize(
    ("prediction_id", "status"),
    [("unknown", 404), ("a%20b", 422), ("%0A", 422), ("abc%0A", 422), ("x" * 129, 422)],
)
def test_ids_are_checked(client: Any, prediction_id: str, status: int) -> None:
    answer = client.get(f"/api/v1/predictions/{prediction_id}")
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_a_store_that_is_down_is_503(client: Any, house: Any) -> None:
    house.broken = True
    assert client.get("/api/v1/predictions/abc").status_code == 503
    assert client.get("/readyz").status_code == 200, "readiness never asks the store"


def test_the_reference_is_read_and_replaced(client: Any, house: Any) -> None:
    assert client.get("/api/v1/reference").status_code == 404
    document = b'{"sidelight_reference": 1}'
    fields = {"content-type": "application/json"}
    put = client.ask("PUT", "/api/v1/reference", content=document, headers=fields)
    assert put.status_code == 200
    schemas.Reference.model_validate(put.json())
    assert client.get("/api/v1/reference").content == document
    bad = client.ask("PUT", "/api/v1/reference", content=b"{}", headers=fields)
    assert (bad.status_code, bad.json()) == (422, {"error": "not a reference file"})
    form = client.ask("PUT", "/api/v1/reference", data={"a": "b"})
    assert form.status_code == 415
    assert house.document == document


def test_a_large_reference_is_413(client_of: Any) -> None:
    client, _ = client_of(reference_bytes=10)
    fields = {"content-type": "application/json"}
    answer = client.ask("PUT", "/api/v1/reference", content=b" " * 11, headers=fields)
    assert answer.status_code == 413


def test_metrics_by_accept(client: Any) -> None:
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.text == "# accept application/openmetrics-text\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_probes(client: Any, house: Any) -> None:
    assert client.get("/livez").json() == {"status": "ok"}
    house.is_ready = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "upstream" in answer.json()["detail"]


def test_learning_is_said(client: Any, house: Any) -> None:
    house.current = EMPTY
    found = client.get("/api/v1/drift").json()
    assert found["reference"] == {
        "state": "learning", "digest": "", "rows": 1240, "rows_needed": 5000, "data": None,
    }  # fmt: skip
    assert found["evaluated_at"] is None
    assert client.get("/api/v1/performance").json()["realised"]["status"] == Status.INSUFFICIENT
