"""Sources of labels, and what takes labels and predictions out again, through the application."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.api import label_shapes

GOOD = {"prediction_id": "abc", "label": 12.5}
TOKENS = {"token": "root-secret", "tokens": {"billing": "billing-secret", "nightly": "n-secret"}}


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("secret", "named", "kept"),
    [("root-secret", {}, "token"), ("billing-secret", {}, "billing"),
     ("root-secret", {"source": "job:1"}, "job:1"),
     ("billing-secret", {"source": "job:1"}, "billing:job:1")],
)  # fmt: skip
def test_the_source_is_who_says_so(
    client_of: Any, secret: str, named: dict[str, str], kept: str
) -> None:
    client, house = client_of(**TOKENS)
    assert client.post({**GOOD, **named}, bearer(secret)).status_code == 202
    assert house.known["abc", 0].source == kept
    header = {"x-sidelight-source": named["source"]} if named else {}
    assert client.post({**GOOD, "row": 1}, bearer(secret) | header).status_code == 202
    assert house.known["abc", 1].source == kept


@pytest.mark.parametrize("source", ["", "a b", "x" * 129, 7, ["a"]])
def test_a_source_in_an_item_is_no_free_text(client: Any, source: object) -> None:
    answer = client.post([{**GOOD, "source": source}, GOOD])
    assert answer.status_code == 202
    assert [one["index"] for one in answer.json()["rejected"]] == [0]


def test_each_token_has_a_rate_of_its_own(client_of: Any) -> None:
    client, _ = client_of(labels_per_second=1.0, labels_burst=1.0, **TOKENS)
    assert client.post([GOOD] * 3, bearer("billing-secret")).status_code == 202
    refused = client.post(GOOD, bearer("billing-secret"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert client.post(GOOD, bearer("n-secret")).status_code == 202


@pytest.mark.parametrize("secret", ["", "root-secre", "root-secret2", "billing"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/feedback"), ("DELETE", "/api/v1/predictions/abc"),
     ("DELETE", "/api/v1/labels?source=x"), ("PUT", "/api/v1/reference")],
)  # fmt: skip
def test_no_write_without_a_right_token(
    client_of: Any, method: str, path: str, secret: str
) -> None:
    client, house = client_of(**TOKENS)
    answer = client.ask(method, path, content=b"{}", headers=bearer(secret))
    assert answer.status_code == 401
    assert house.predicted == {"abc"}


def test_a_prediction_is_deleted_with_its_labels(client: Any) -> None:
    client.post(GOOD)
    gone = client.ask("DELETE", "/api/v1/predictions/abc")
    assert gone.json() == {"prediction_id": "abc", "rows": 1, "labels": 1}
    label_shapes.Deletion.model_validate(gone.json())
    assert client.get("/api/v1/predictions/abc").status_code == 404
    again = client.ask("DELETE", "/api/v1/predictions/abc")
    assert (again.status_code, again.json()["rows"]) == (200, 0)


def test_a_name_of_several_predictions_deletes_none(client: Any) -> None:
    answer = client.ask("DELETE", "/api/v1/predictions/trace")
    assert (answer.status_code, "several" in answer.json()["error"]) == (409, True)
    assert client.get("/api/v1/predictions/abc").status_code == 200


def test_what_is_read_under_another_name_says_its_id(client: Any) -> None:
    found = client.get("/api/v1/predictions/order-7")
    assert (found.status_code, found.json()["prediction_id"]) == (200, "abc")


def test_a_source_is_revoked(client: Any, house: Any) -> None:
    client.post([{**GOOD, "source": "bad"}, {"prediction_id": "x", "label": 1, "source": "good"}])
    gone = client.ask("DELETE", "/api/v1/labels", params={"source": "bad"})
    assert gone.json() == {"source": "bad", "labels": 1}
    assert list(house.known) == [("x", 0)]


@pytest.mark.parametrize("path", ["/api/v1/predictions/abc", "/api/v1/labels?source=x"])
def test_a_store_that_is_down_is_503_to_be_tried_again(client: Any, house: Any, path: str) -> None:
    house.broken = True
    answer = client.ask("DELETE", path)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("truth", "labels"),
    [({"data": {"ndarray": [[1], [0]]}}, [1, 0]), ({"data": {"ndarray": ["cat"]}}, None),
     ({"data": {"ndarray": [2.5, 3]}}, [2.5, 3]), ({"jsonData": [True, 1]}, [True, 1]),
     ({"data": {"tensor": {"shape": [2, 1], "values": [1.5, 2]}}}, [1.5, 2]),
     ({"jsonData": 7}, [7])],
)  # fmt: skip
def test_seldons_feedback_is_taken(
    client: Any, house: Any, truth: dict[str, Any], labels: list[Any] | None
) -> None:
    body = {
        "request": {"data": {"ndarray": [[1, 2]]}},
        "response": {"meta": {"puid": "abc"}, "data": {"ndarray": [[0.5]]}},
        "truth": truth,
        "reward": 1.0,
    }
    answer = client.post(body)
    if labels is None:  # text: the house of these tests refuses it
        assert "row 0: not a number" in answer.json()["rejected"][0]["error"]
        return
    assert answer.status_code == 202
    assert [house.known["abc", row].value for row in range(len(labels))] == labels


@pytest.mark.parametrize(
    "wrong",
    [{"reward": 1.0, "response": {"meta": {"puid": "abc"}}}, {"truth": {"jsonData": 1}},
     {"truth": {"data": {"ndarray": [[0, 1]]}}, "request": {"meta": {"puid": "abc"}}},
     {"truth": {"data": {"tensor": {"shape": [1, 2], "values": [1, 2]}}},
      "request": {"meta": {"puid": "abc"}}},
     {"truth": 1, "response": 2, "request": 3}, {"truth": {"jsonData": 1}, "other": 1,
      "request": {"meta": {"puid": "abc"}}},
     {"truth": {"jsonData": {}}, "request": {"meta": {"puid": "abc"}}}],
)  # fmt: skip
def test_feedback_without_a_truth_is_refused(client: Any, house: Any, wrong: Any) -> None:
    assert client.post(wrong).status_code == 422
    assert house.known == {}
