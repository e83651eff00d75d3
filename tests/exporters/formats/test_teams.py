"""Teams: an adaptive card in the envelope of Workflows' webhooks."""

from __future__ import annotations

from typing import Any

import orjson

from exporters.formats.format import Receiver
from exporters.formats.teams import MOST_ALERTS, post
from tests.exporters.formats.notices import EVIL, PAGE, message, told


def card(*notices: Any) -> Any:
    made = post(Receiver("https://teams.test/x", None, PAGE), message(*notices), 0.0)
    document = orjson.loads(made.payload)
    assert document["type"] == "message"
    (attachment,) = document["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    return attachment["content"]


def runs(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [run for each in node for run in runs(each)]
    if not isinstance(node, dict):
        return []
    return [node] if node.get("type") == "TextRun" else runs(list(node.values()))


def test_a_container_an_alert_in_its_style() -> None:
    made = card(told(), told("b", severity="critical"), told("c", firing=False))
    containers = [each for each in made["body"] if each["type"] == "Container"]
    assert [each["style"] for each in containers] == ["warning", "attention", "good"]
    assert [run["text"] for run in runs(containers[0])] == [
        "Firing · ",
        "delay has drifted in flights 3",
        "psi 0.5 (threshold 0.2) over 400 rows. 0",
    ]
    assert [(each["title"], each["url"]) for each in made["actions"]] == [
        ("Look", f"{PAGE}#column=delay"),
        ("Runbook", f"{PAGE}runbook#sidelightfeaturedrift"),
    ]


def test_what_comes_from_traffic_is_in_runs_that_know_no_markup() -> None:
    made = card(told(EVIL))
    assert any(EVIL in run["text"] for run in runs(made))
    document = orjson.dumps(made)
    assert b'"TextBlock"' not in document
    assert b'"FactSet"' not in document


def test_the_rest_is_counted() -> None:
    made = card(*(told(str(i)) for i in range(MOST_ALERTS + 3)))
    assert [run["text"] for run in runs(made["body"][-1])] == ["3 more on the page."]
