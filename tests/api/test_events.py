"""`POST /events`: what the CloudEvents package writes is what is read; anything else is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from monitor.api.app import create_app
from monitor.api.cloud_events import BATCH, STRUCTURED, EventError, read
from monitor.api.ports import ControlSettings
from monitor.events import Half
from tests.api.conftest import Client, MemoryHouse

REQUEST = "org.kubeflow.serving.inference.request"
ATTRIBUTES = {
    "type": REQUEST,
    "source": "http://localhost:9081/",
    "id": "e-1",
    "time": "2026-01-01T00:00:00Z",
    "inferenceservicename": "iris",
    "datacontenttype": "application/json",
}
AT = 1767225600.0  # that time
BODY: dict[str, Any] = {"instances": [[1.5, 2]]}


def _post(house: MemoryHouse, headers: Mapping[str, str], body: bytes | None) -> httpx.Response:
    client = Client(create_app(house, clock=lambda: AT + 5))
    return client.ask("POST", "/events", headers=dict(headers), content=body)


@pytest.mark.parametrize("half", Half)
def test_both_modes_of_the_package_are_read(half: Half) -> None:
    event = CloudEvent({**ATTRIBUTES, "type": f"io.kserve.inference.{half}"}, BODY)
    for headers, body in (to_binary(event), to_structured(event)):
        house = MemoryHouse()
        answer = _post(house, headers, body)
        assert (answer.status_code, answer.json()) == (202, {"waiting": 1})
        (found,) = house.events
        assert (found.id, found.half, found.at) == ("e-1", half, AT)
        assert json.loads(found.body) == BODY
        assert found.fields == b"content-type: application/json\r\n"


def _structured(**changes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", **ATTRIBUTES, "data": BODY, **changes}


def test_a_batch_and_other_data() -> None:
    raw = base64.b64encode(b"1,2\n").decode()
    documents = [
        _structured(),
        _structured(datacontenttype="text/csv", data="1,2\n"),
        _structured(datacontenttype="text/csv", data_base64=raw),
    ]
    found = read({"content-type": BATCH}, json.dumps(documents).encode(), AT)
    assert [json.loads(found[0].body), *(one.body for one in found[1:])] == [BODY] + [b"1,2\n"] * 2


def test_a_time_that_is_not_said_or_lies_ahead_is_now() -> None:
    for time, at in (("soon", AT), ("2099-01-01T00:00:00Z", AT), ("2025-12-31T23:59:59", AT - 1)):
        body = json.dumps(_structured(time=time)).encode()
        assert read({"content-type": STRUCTURED}, body, AT)[0].at == at


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": STRUCTURED}, b"{"),
        ({"content-type": STRUCTURED}, b"[]"),
        ({"content-type": BATCH}, b"[1]"),
        ({"content-type": BATCH}, json.dumps([{}] * 1001).encode()),
        ({"content-type": "application/json"}, b"{}"),
        ({"ce-specversion": "1.0", "ce-type": "com.example.order", "ce-id": "a"}, b"{}"),
        ({"content-type": STRUCTURED}, json.dumps(_structured(data_base64="*")).encode()),
    ],
)
def test_what_is_no_inference_is_refused(headers: dict[str, str], body: bytes) -> None:
    answer = _post(MemoryHouse(), headers, body)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_it_is_a_write() -> None:
    house = MemoryHouse(ControlSettings(token="secret", event_bytes=2000))
    headers, body = to_binary(CloudEvent(ATTRIBUTES, BODY))
    assert _post(house, headers, body).status_code == 401
    allowed = {**headers, "authorization": "Bearer secret"}
    assert _post(house, allowed, body).status_code == 202
    assert _post(house, allowed, bytes(2001)).status_code == 413
    encoded = {**allowed, "content-encoding": "gzip"}
    assert _post(house, encoded, body).status_code == 415
    assert len(house.events) == 1


@given(st.binary(max_size=60) | st.builds(lambda d: json.dumps(d).encode(), st.dictionaries(
    st.sampled_from(["specversion", "type", "id", "time", "data", "data_base64"]),
    st.sampled_from(["1.0", REQUEST, "", "\ud83d\ude00"]) | st.integers() | st.none())),
    st.sampled_from([STRUCTURED, BATCH, ""]))  # fmt: skip
def test_any_body_is_events_or_an_error(body: bytes, said: str) -> None:
    try:
        read({"content-type": said}, body, AT)
    except EventError:
        return
