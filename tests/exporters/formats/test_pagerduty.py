"""PagerDuty's Events API v2, by its reference."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from exporters.formats.format import Receiver
from exporters.formats.pagerduty import FORMAT, URL, post
from exporters.message import Notice
from tests.exporters.formats.notices import PAGE, message, told


def event(each: Notice) -> Any:
    made = post(Receiver(URL, "routing-key", PAGE), message(each), 0.0)
    assert made.url == "https://events.pagerduty.com/v2/enqueue"
    return orjson.loads(made.payload)


def test_one_key_triggers_and_resolves() -> None:
    triggered, resolved = event(told()), event(told(firing=False))
    assert triggered["routing_key"] == resolved["routing_key"] == "routing-key"
    assert (triggered["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert triggered["dedup_key"] == resolved["dedup_key"] == told()["fingerprint"]
    assert event(told("other"))["dedup_key"] != triggered["dedup_key"]


def test_the_event_says_what_where_and_how_bad() -> None:
    made = event(told())
    assert made["payload"] == {
        "summary": "delay has drifted in flights 3",
        "source": "flights",
        "severity": "warning",
        "timestamp": "1970-01-01T00:16:40Z",
        "component": "delay",
        "group": "flights",
        "class": "SidelightFeatureDrift",
        "custom_details": {
            "description": "psi 0.5 (threshold 0.2) over 400 rows. 0",
            "labels": told()["labels"],
        },
    }
    assert (made["client"], made["client_url"]) == ("Sidelight", PAGE)
    assert [link["text"] for link in made["links"]] == ["Look", "Runbook"]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", "critical"), ("error", "error"), ("info", "info"), ("page", "warning")],
)
def test_severities_are_pagerdutys_own(severity: str, expected: str) -> None:
    assert event(told(severity=severity))["payload"]["severity"] == expected


def test_a_summary_is_cut_where_pagerduty_would_refuse_it() -> None:
    assert len(event(told("x" * 5_000))["payload"]["summary"]) == 1_024


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_routing_key_nothing_can_be_sent(secret: str | None) -> None:
    with pytest.raises(ValueError, match="routing key"):
        FORMAT.check_secret(Receiver(URL, secret))
