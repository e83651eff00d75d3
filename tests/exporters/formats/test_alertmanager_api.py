"""Alertmanager's `POST /api/v2/alerts`, as Prometheus sends it; the real one is asked too."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import orjson
import pytest

from exporters.addresses import AddressPolicy
from exporters.delivery import Sink, Target
from exporters.formats.alertmanager_api import FORGOTTEN_SECONDS, FORMAT, REPEAT_SECONDS, post
from exporters.formats.format import Receiver
from exporters.sending import Sender
from monitor.snapshot import Alert, AlertState
from tests.end_to_end.alertmanager import BINARY, alertmanager, alerts, wait
from tests.exporters.formats.notices import PAGE, message, told
from tests.exporters.receiving import story


@pytest.mark.parametrize(
    "url",
    ["http://am.test:9093", "http://am.test:9093/", "http://am.test:9093/api/v2/alerts",
     "http://am.test:9093/api/v2/alerts/"],
)  # fmt: skip
def test_the_path_may_be_left_out(url: str) -> None:
    made = post(Receiver(url), message(), 0.0)
    assert made.url == "http://am.test:9093/api/v2/alerts"
    assert post(Receiver("http://x/am/"), message(), 0.0).url == "http://x/am/api/v2/alerts"


def test_a_firing_alert_says_when_it_may_be_forgotten_and_a_resolved_one_when_it_ended() -> None:
    made = post(Receiver("http://x"), message(told(), told("b", firing=False)), 1e9)
    firing, resolved = orjson.loads(made.payload)
    assert set(firing) == {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
    assert firing["startsAt"] == "1970-01-01T00:16:40Z"
    assert firing["endsAt"] == "2001-09-09T01:50:40Z"  # 1e9 is 01:46:40
    assert firing["generatorURL"] == f"{PAGE}#column=delay"
    assert resolved["endsAt"] == "1970-01-01T00:33:20.500000Z"
    assert FORGOTTEN_SECONDS >= 3 * REPEAT_SECONDS, "two lost repeats are no resolve"


def test_a_secret_is_a_bearer_token_of_one_line() -> None:
    made = post(Receiver("http://x", "t0ken"), message(), 0.0)
    assert made.headers["authorization"] == "Bearer t0ken"
    assert "authorization" not in post(Receiver("http://x"), message(), 0.0).headers
    for bad in ("a\nb", "ü"):
        with pytest.raises(ValueError, match="bearer token"):
            FORMAT.check_secret(Receiver("http://x", bad))


@pytest.mark.end_to_end
@pytest.mark.skipif(BINARY is None, reason="alertmanager is not installed")
def test_a_real_alertmanager_sees_it_fire_and_resolve(tmp_path: Path) -> None:
    labels = {"alertname": "SidelightFeatureDrift", "model": "flights", "column": '<img "é">'}
    began = time.time() - 30
    firing = Alert(labels, {"summary": "moved"}, AlertState.FIRING, began - 120, began)

    async def deliver(url: str, *states: Alert) -> None:
        target = Target("am", Receiver(url, None, PAGE), FORMAT)
        sink = Sink(
            target, Sender(AddressPolicy(["127.0.0.1"])), load=lambda: None, save=lambda _: None
        )
        task = asyncio.create_task(sink.run())
        sink.offer(states)
        assert await sink.flush(10)
        task.cancel()
        await sink.close()

    with alertmanager(tmp_path) as url:
        story(lambda: deliver(url, firing))
        (seen,) = alerts(url)
        assert seen["labels"] == labels
        assert seen["annotations"] == {"summary": "moved"}
        assert seen["status"]["state"] in {"active", "unprocessed"}
        ends = seen["endsAt"]
        resolved = Alert(
            labels, {"summary": "moved"}, AlertState.RESOLVED, began - 120, began, time.time() - 1
        )
        story(lambda: deliver(url, resolved))
        wait(lambda: not alerts(url, "?active=true"))
        assert ends > seen["startsAt"]
