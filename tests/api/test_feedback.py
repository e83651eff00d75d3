"""POST /feedback through the application: codes, counts, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from monitor.api import bodies
from monitor.api.feedback import MOST_REJECTIONS

GOOD = {"prediction_id": "abc", "label": 12.5}
REPORT = {
    "accepted": 0, "joined": 0, "pending": 0, "duplicate": 0, "corrected": 0, "expired": 0,
    "rejected": [], "rejected_count": 0,
}  # fmt: skip


def test_labels_are_kept_before_they_are_acknowledged(client: Any, house: Any) -> None:
    answer = client.post([GOOD, {"prediction_id": "x", "label": 1}, {"prediction_id": "abc"}])
    assert answer.status_code == 202
    assert answer.json() == REPORT | {
        "accepted": 2,
        "joined": 1,
        "pending": 1,
        "rejected": [{"index": 2, "error": "label is missing"}],
        "rejected_count": 1,
    }
    assert house.known["abc", 0].value == 12.5
    assert house.rejected == 1


def test_repeats_and_corrections(client: Any) -> None:
    client.post(GOOD)
    assert client.post(GOOD).json()["duplicate"] == 1
    assert client.post(GOOD | {"label": 13}).json()["corrected"] == 1


def test_a_label_that_the_house_rejects_is_told_with_its_index(client: Any, house: Any) -> None:
    answer = client.post([GOOD, {"prediction_id": "abc", "row": 4, "label": "late"}])
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"] == [{"index": 1, "error": "row 4: not a number"}]
    assert house.rejected == 0, "the house counts its own"


@pytest.mark.parametrize(
    ("sent", "error"),
    [([], "no labels"), ([1, 2], "nothing was acceptable"), (b"{", "not JSON"),
     ({"prediction_id": "abc", "label": "text"}, "nothing was acceptable")],
)  # fmt: skip
def test_nothing_acceptable_is_422(client: Any, sent: Any, error: Any) -> None:
    answer = client.post(sent)
    assert answer.status_code == 422
    assert error in answer.json()["error"]


def test_lines_are_taken(client: Any) -> None:
    body = b'{"prediction_id":"abc","labels":[1,2]}\n{"prediction_id":"abc","row":2,"label":3}\n'
    answer = client.post(body, {"content-type": "application/x-ndjson; charset=utf-8"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": ""},
        {"content-encoding": "gzip"},
        {"content-encoding": "br"},
    ],
)
def test_what_a_foreign_form_could_send_is_415(client: Any, house: Any, headers: Any) -> None:
    assert client.post(GOOD, headers).status_code == 415
    assert not house.known


def test_a_store_that_cannot_take_them_is_503(client: Any, house: Any) -> None:
    house.broken = True
    answer = client.post(GOOD)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "canary" not in answer.text


def test_too_large_is_413_whether_it_says_so_or_not(client_of: Any) -> None:
    client, _ = client_of(label_bytes=100)
    assert client.post(b" " * 101).status_code == 413
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 1000:
            taken += 1
            yield b" " * 50

    answer = client.ask(
        "POST", "/feedback", content=pieces(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert taken <= 4, "the rest was not waited for"
    assert client.post(GOOD).status_code == 202


def test_a_body_that_never_ends_is_408(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.Event().wait()

    answer = client.ask(
        "POST", "/feedback", content=never(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 408


def test_many_bodies_at_once_are_bounded(client_of: Any) -> None:
    """Of five bodies of the largest size at once, four have room; the fifth may come again."""
    client, _ = client_of(label_bytes=1000)
    gate = asyncio.Event()
    begun = asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"prediction_id":"abc",' + b" " * 900
        begun.release()
        await gate.wait()
        yield b'"label":1}'

    async def play() -> list[httpx.Response]:
        transport = httpx.ASGITransport(client.app)
        fields = {"content-type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url=client.base) as asker:
            first = [
                asyncio.create_task(asker.post("/feedback", content=slow(), headers=fields))
                for _ in range(4)
            ]
            for _ in range(4):
                await begun.acquire()
            fifth = await asker.post("/feedback", content=slow(), headers=fields)
            gate.set()
            return [fifth, *await asyncio.gather(*first)]

    fifth, *first = asyncio.run(play())
    assert (fifth.status_code, fifth.headers["retry-after"]) == (503, "5")
    assert [answer.status_code for answer in first] == [202] * 4
    assert client.post(GOOD).status_code == 202, "the room is given back"


def test_the_rate_is_limited_and_recovers(client_of: Any) -> None:
    now = [0.0]
    client, _ = client_of(lambda: now[0], labels_per_second=10.0, labels_burst=20.0)
    large = {"prediction_id": "abc", "labels": [1] * 50}
    assert client.post(large).status_code == 202
    refused = client.post(GOOD)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    now[0] = 2.9
    assert client.post(GOOD).status_code == 429
    now[0] = 3.0
    assert client.post(GOOD).status_code == 202


def test_bad_labels_cost_as_much_as_good_ones(client_of: Any) -> None:
    client, _ = client_of(labels_per_second=1.0, labels_burst=3.0)
    for _ in range(4):
        assert client.post(b"{").status_code == 422
    assert client.post(b"{").status_code == 429


@pytest.mark.parametrize(
    ("headers", "source"), [({}, "127.0.0.1"), ({"x-sidelight-source": "nightly:1"}, "nightly:1")]
)
def test_a_label_knows_its_source(client: Any, house: Any, headers: Any, source: Any) -> None:
    client.post(GOOD, headers)
    assert house.known["abc", 0].source == source


def test_a_source_is_no_free_text(client: Any, house: Any) -> None:
    assert client.post(GOOD, {"x-sidelight-source": "a b"}).status_code == 422
    assert not house.known


def test_the_report_of_many_rejections_is_bounded(client: Any) -> None:
    answer = client.post([GOOD] + [0] * (MOST_REJECTIONS + 5))
    assert len(answer.json()["rejected"]) == MOST_REJECTIONS
    assert answer.json()["rejected_count"] == MOST_REJECTIONS + 5


TOKEN = "canary-tökén"


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic canary", "canary", "Bearer\tx",
     f"Token {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), [("POST", "/feedback"), ("PUT", "/api/v1/reference")])
def test_writes_need_the_token(client_of: Any, given: Any, method: Any, path: Any) -> None:
    client, house = client_of(token=TOKEN)
    headers = {"content-type": "application/json"}
    if given is not None:
        headers["authorization"] = given
    encoded = {name: value.encode() for name, value in headers.items()}
    answer = client.ask(method, path, content=b"{}", headers=encoded)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text
    assert (house.known, house.document) == ({}, None)


def test_the_token_opens_and_is_the_source(client_of: Any) -> None:
    client, house = client_of(token=TOKEN)
    fields = {"authorization": f"bearer {TOKEN}".encode(), "content-type": b"application/json"}
    body = b'{"prediction_id":"abc","label":1}'
    answer = client.ask("POST", "/feedback", content=body, headers=fields)
    assert answer.status_code == 202
    assert house.known["abc", 0].source == "token"
    assert client.get("/api/v1/drift").status_code == 200, "reads are open"
    assert TOKEN not in repr(house.control)
