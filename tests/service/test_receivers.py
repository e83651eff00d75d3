"""Receivers as the configuration has them: faults at once, secrets nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporters.formats.pagerduty import URL
from monitor.config import Config, reveal
from monitor.errors import ConfigError
from monitor.service.checks import check
from monitor.service.receivers import outbox_key, receiver_faults, targets

SLACK = "https://hooks.slack.test/services/canary"


def config(*webhooks: dict[str, Any], allow: tuple[str, ...] = ()) -> Config:
    alerts = {"webhooks": webhooks, "allow_private": allow}
    return Config.model_validate({"upstream": "http://127.0.0.1:9", "alerts": alerts})


def test_receivers_are_named_by_format_and_place() -> None:
    made = targets(config({"url": SLACK, "format": "slack"}, {"url": "https://x.test/"}))
    assert [each.name for each in made] == ["slack-0", "alertmanager-1"]
    assert [outbox_key(each) for each in made] == [
        "outbox slack-0 hooks.slack.test",
        "outbox alertmanager-1 x.test",
    ]
    assert made[0].receiver.url == SLACK


def test_pagerduty_has_a_url_of_its_own() -> None:
    mine = {"format": "pagerduty", "secret": "routing-key"}
    assert targets(config(mine))[0].receiver.url == URL
    europe = "https://events.eu.pagerduty.com/v2/enqueue"
    assert targets(config({**mine, "url": europe}))[0].receiver.url == europe
    assert receiver_faults(config(mine)) == []


@pytest.mark.parametrize(
    ("webhook", "allow", "fault"),
    [
        ({}, (), ("alerts.webhooks.0.url", "is required")),
        ({"format": "pagerduty"}, (), ("alerts.webhooks.0.secret", "is required: the routing key")),
        ({"url": SLACK, "format": "slack", "secret": "canary"}, (),
         ("alerts.webhooks.0.secret", "has no use in this format")),
        ({"url": SLACK, "format": "teams", "secret": "canary"}, (),
         ("alerts.webhooks.0.secret", "has no use in this format")),
        ({"url": "http://hooks.test/canary"}, (), ("alerts.webhooks.0.url", "plain http is for")),
        ({"url": "http://127.0.0.1/canary"}, (), ("alerts.webhooks.0.url", "127.0.0.1 is private")),
        ({"url": "https://[::ffff:127.0.0.1]/canary"}, (), ("alerts.webhooks.0.url", "::ffff:")),
        ({"url": "https://0x7f.1/canary"}, (), ("alerts.webhooks.0.url", "127.0.0.1 is private")),
        ({"url": "http://127.0.0.1/"}, ("10.0.0.0/33",),
         ("alerts.allow_private.0", "'10.0.0.0/33' is no host name")),
        ({"url": SLACK, "secret": "whsec_canary!"}, (), ("alerts.webhooks.0.secret", "a webhook")),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_no_secret(
    webhook: dict[str, Any], allow: tuple[str, ...], fault: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        check(config(webhook, allow=allow))
    ((key, reason),) = raised.value.faults
    assert (key, reason[: len(fault[1])]) == fault
    assert "canary" not in str(raised.value)


def test_what_is_allowed_is_no_fault() -> None:
    here = {"url": "http://127.0.0.1:9093/", "format": "alertmanager_api"}
    there = {"url": "http://alertmanager:9093/", "format": "alertmanager_api", "secret": "token"}
    assert receiver_faults(config(here, there, allow=("127.0.0.0/8", "alertmanager"))) == []


def test_neither_url_nor_secret_is_in_a_repr(tmp_path: Path) -> None:
    made = config({"url": SLACK, "format": "cloudevents", "secret": "canary-too"})
    assert "canary" not in repr(made) + str(made) + repr(targets(made))
    assert Config.model_validate(reveal(made)) == made, "only a child process is told"
