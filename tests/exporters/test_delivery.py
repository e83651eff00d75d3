"""Deliveries to a real receiver on a loopback socket, in every mood that receivers have."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import ipaddress
import json
import random
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog.testing

from exporters import sending
from exporters.addresses import Address, AddressPolicy
from exporters.delivery import Sink, Target
from exporters.formats import FORMATS
from exporters.formats.format import Receiver as Told
from exporters.sending import Sender
from monitor.errors import StoreError
from monitor.snapshot import Alert, AlertState
from tests.exporters.receiving import answer, receiving, story

SECRET = "canary-secret"
LABELS = {"alertname": "SidelightFeatureDrift", "model": "flights", "column": "a"}
FIRING = Alert(LABELS, {"summary": "a moved"}, AlertState.FIRING, 1.0, 2.0)
RESOLVED = Alert(LABELS, {"summary": "a moved"}, AlertState.RESOLVED, 1.0, 2.0, 3.0)
PENDING = Alert(LABELS, {}, AlertState.PENDING, 1.0)


class Documents:
    """A document store in memory, that can be full."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] | None = None
        self.full = False

    def load(self) -> dict[str, Any] | None:
        return json.loads(json.dumps(self.kept))  # type: ignore[no-any-return] # what was saved

    def save(self, document: dict[str, Any]) -> None:
        if self.full:
            raise StoreError("disk full")
        self.kept = document


class Fast(random.Random):
    """No waiting between attempts: half of every wait is by chance, and chance can be negative."""

    def random(self) -> float:
        return -0.999


@contextlib.asynccontextmanager
async def running(
    port: int, documents: Documents, form: str = "alertmanager", secret: str | None = SECRET
) -> AsyncIterator[Sink]:
    told = Told(f"http://127.0.0.1:{port}/path?token=canary-url", secret)
    sink = Sink(
        Target("hook", told, FORMATS[form]),
        Sender(AddressPolicy(["127.0.0.0/8"])),
        load=documents.load,
        save=documents.save,
        chance=Fast(7),
        clock=lambda: 1000.0,
    )
    task = asyncio.create_task(sink.run())
    try:
        yield sink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await sink.close()


def count(sink: Sink, outcome: str) -> int:
    return sink.deliveries["hook", outcome]


def test_one_signed_message() -> None:
    async def play() -> None:
        async with receiving() as receiver, running(receiver.port, Documents()) as sink:
            sink.offer([PENDING, FIRING])
            assert await sink.flush(5)
            (fields, body), = receiver.requests  # fmt: skip
            assert json.loads(body)["alerts"][0]["labels"] == LABELS
            assert len(json.loads(body)["alerts"]) == 1
            signed = f"{fields['webhook-id']}.1000.".encode() + body
            digest = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
            assert fields["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
            assert (count(sink, "sent"), count(sink, "failed")) == (1, 0)

    story(play)


@pytest.mark.parametrize(
    "reply",
    [
        answer(500),
        answer(404),
        answer(429),
        answer(302, "location: http://127.0.0.1:9/"),
        b"garbage\r\n\r\n",
        None,
    ],
)
def test_a_failure_is_tried_again_with_the_same_id(reply: bytes | None) -> None:
    async def play() -> None:
        async with receiving(reply, reply) as receiver, running(receiver.port, Documents()) as sink:
            sink.offer([FIRING])
            assert await sink.flush(10)
            assert receiver.alerts == [["firing"]] * 3
            assert len({fields["webhook-id"] for fields, _ in receiver.requests}) == 1
            assert len({body for _, body in receiver.requests}) == 1
            assert (count(sink, "sent"), count(sink, "failed")) == (1, 2)

    story(play)


def test_a_receiver_that_asks_for_time_gets_it() -> None:
    async def play() -> None:
        busy = answer(429, "retry-after: 1")
        async with receiving(busy) as receiver, running(receiver.port, Documents()) as sink:
            clock = asyncio.get_running_loop()
            sink.offer([FIRING])
            await receiver.arrived.wait()
            asked = clock.time()
            assert await sink.flush(10)
            assert clock.time() - asked >= 0.95, "chance alone would have waited for no time"
            assert receiver.alerts == [["firing"]] * 2

    story(play)


def test_where_nothing_may_go_is_counted_and_said() -> None:
    async def play() -> None:
        async def here(_host: str, _port: int) -> list[Address]:
            return [ipaddress.ip_address("127.0.0.1")]

        told = Told("https://hooks.test:9/canary-url", "canary-secret")
        sink = Sink(
            Target("hook", told, FORMATS["alertmanager"]),
            Sender(AddressPolicy(["10.0.0.0/8"]), here),
            load=lambda: None,
            save=lambda _: None,
        )
        with structlog.testing.capture_logs() as logs:
            task = asyncio.create_task(sink.run())
            sink.offer([FIRING])
            assert not await sink.flush(0.3)
            task.cancel()
            await sink.close()
        assert count(sink, "failed") == 1
        assert sink.waiting == 1, "the name may mean another address later"
        assert re.fullmatch(r"refused: \S+ is private, and not in .*", logs[0]["reason"])
        assert "canary" not in repr(logs)

    story(play)


def test_the_receiver_is_away_while_much_happens() -> None:
    async def play() -> None:
        async with receiving(None) as receiver, running(receiver.port, Documents()) as sink:
            sink.offer([FIRING])
            await receiver.arrived.wait()
            for _ in range(20):
                sink.offer([RESOLVED])
                sink.offer([FIRING])
            sink.offer([RESOLVED])
            assert await sink.flush(10)
            assert receiver.alerts == [["firing"], ["resolved"]]
            assert count(sink, "coalesced") == 40

    story(play)


def test_an_unreachable_receiver_is_heard_of_and_survived() -> None:
    async def play() -> None:
        documents = Documents()
        async with receiving() as receiver:
            port = receiver.port
        async with running(port, documents) as sink:
            sink.offer([FIRING])
            assert not await sink.flush(0.2)
            assert count(sink, "failed") >= 1
            assert sink.waiting == 1
        async with receiving() as again, running(again.port, documents) as sink:
            assert await sink.flush(5), "a restart sends what was left"
            assert again.alerts == [["firing"]]
        assert documents.kept is not None
        assert documents.kept["groups"] == []

    story(play)


def test_stopping_within_an_attempt_loses_nothing() -> None:
    async def play() -> None:
        documents = Documents()
        silent = b""  # an answer that never comes
        async with receiving(silent) as receiver:
            async with running(receiver.port, documents) as sink:
                sink.offer([FIRING])
                await receiver.arrived.wait()
            async with running(receiver.port, documents) as sink:
                assert await sink.flush(5)
            ids = [fields["webhook-id"] for fields, _ in receiver.requests]
            assert len(ids) == 2
            assert ids[0] == ids[1], "the receiver can drop the repeat"

    story(play)


def test_a_silent_receiver_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_SECONDS", 0.1)

    async def play() -> None:
        async with receiving(b"") as receiver, running(receiver.port, Documents()) as sink:
            sink.offer([FIRING])
            assert await sink.flush(5)
            assert count(sink, "failed") == 1

    story(play)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def play() -> None:
        endless = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n" + b"x" * (1 << 20)
        async with receiving(endless) as receiver, running(receiver.port, Documents()) as sink:
            sink.offer([FIRING])
            assert await sink.flush(3)
            assert (count(sink, "sent"), count(sink, "failed")) == (1, 0)

    story(play)


def test_a_full_disk_costs_no_delivery() -> None:
    async def play() -> None:
        documents = Documents()
        documents.full = True
        async with receiving() as receiver, running(receiver.port, documents) as sink:
            sink.offer([FIRING])
            assert await sink.flush(5)
            assert receiver.alerts == [["firing"]]
            assert count(sink, "unsaved") == 2

    story(play)


def test_an_unreadable_outbox_is_begun_anew() -> None:
    async def play() -> None:
        documents = Documents()
        documents.kept = {"format": 99}
        async with receiving() as receiver, running(receiver.port, documents) as sink:
            sink.offer([FIRING])
            assert await sink.flush(5)

    story(play)


def test_secrets_are_nowhere_to_be_seen() -> None:
    async def play() -> None:
        with structlog.testing.capture_logs() as logs:
            async with (
                receiving(answer(500), None) as receiver,
                running(receiver.port, Documents()) as sink,
            ):
                sink.offer([FIRING])
                assert await sink.flush(10)
        assert [entry["event"] for entry in logs] == ["alert_delivery_failed"] * 2
        assert "canary" not in repr(logs)

    story(play)
    target = Target("hook", Told("https://h/canary", "canary"), FORMATS["pagerduty"])
    assert "canary" not in repr(target)


@pytest.mark.parametrize(
    ("form", "secret", "messages"),
    [("slack", None, 1), ("teams", None, 1), ("alertmanager_api", "token", 1),
     ("pagerduty", "canary-key", 2), ("cloudevents", SECRET, 2)],
)  # fmt: skip
def test_every_format_is_delivered_by_the_same_machine(
    form: str, secret: str | None, messages: int
) -> None:
    async def play() -> None:
        busy = answer(429, "retry-after: 0")
        with structlog.testing.capture_logs() as logs:
            async with (
                receiving(answer(500), None, busy) as receiver,
                running(receiver.port, Documents(), form, secret) as sink,
            ):
                other = Alert({**LABELS, "column": "b"}, {}, AlertState.FIRING, 1.0, 2.0)
                sink.offer([FIRING, other])
                assert await sink.flush(10)
                assert (count(sink, "sent"), count(sink, "failed")) == (messages, 3)
                assert len(receiver.requests) == messages + 3
        assert "canary" not in repr(logs)

    story(play)


def test_a_receiver_that_forgets_is_told_again_and_others_are_not() -> None:
    async def play() -> None:
        for form, expected in (("alertmanager_api", 2), ("alertmanager", 1)):
            async with (
                receiving() as receiver,
                running(receiver.port, Documents(), form, None) as sink,
            ):
                sink.offer([FIRING])
                assert await sink.flush(5)
                for _ in range(20):  # within the minute, one reminder
                    sink.remind([FIRING, PENDING])
                    assert await sink.flush(5)
                assert len(receiver.requests) == expected, form
                sink.remind([RESOLVED])
                assert sink.waiting == 0, "what has ended is told once"

    story(play)
