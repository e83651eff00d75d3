"""Slack's incoming webhooks, by the limits and escapes of its reference."""

from __future__ import annotations

from typing import Any

import orjson

from exporters.formats.format import Receiver
from exporters.formats.slack import MOST_ALERTS, post
from tests.exporters.formats.notices import EVIL, PAGE, message, told


def document(*notices: Any) -> Any:
    made = post(Receiver("https://slack.test/T/B/x", None, PAGE), message(*notices), 0.0)
    assert (made.url, dict(made.headers)) == (
        "https://slack.test/T/B/x",
        {"content-type": "application/json"},
    )
    return orjson.loads(made.payload)


def texts(block: dict[str, Any]) -> list[str]:
    return [each["text"] for each in block.get("elements", [block.get("text")])]


def test_one_block_an_alert_in_its_colour_with_its_links() -> None:
    made = document(told(), told("b", severity="critical"), told("c", firing=False))
    assert made["text"] == "Sidelight, flights: 2 firing, 1 resolved"
    colours = [each["color"] for each in made["attachments"]]
    assert len(set(colours)) == 3
    first = [text for block in made["attachments"][0]["blocks"] for text in texts(block)]
    assert first == [
        "*Firing* · delay has drifted in flights 3\npsi 0.5 (threshold 0.2) over 400 rows. 0",
        f"<{PAGE}#column=delay|Look> · <{PAGE}runbook#sidelightfeaturedrift|Runbook>",
    ]
    (resolved,) = made["attachments"][2]["blocks"]
    assert texts(resolved) == ["*Resolved* · c has drifted in flights 3"]


def test_a_column_can_mention_nobody_and_link_nowhere() -> None:
    made = document(told(EVIL))
    text = texts(made["attachments"][0]["blocks"][0])[0]
    assert text.startswith(
        "*Firing* · &lt;!channel&gt; &amp; [click](https://evil.test) &lt;https://evil.test|here&gt;"
    )
    assert "<" not in text
    blocks = made["attachments"][0]["blocks"]
    assert all(block["text"]["verbatim"] for block in blocks if "text" in block)


def test_no_text_is_longer_than_slack_takes_and_the_rest_is_counted() -> None:
    made = document(*(told(f"{i}" + "x" * 5_000) for i in range(MOST_ALERTS + 7)))
    blocks = [block for each in made["attachments"] for block in each["blocks"]]
    assert len(blocks) <= 50
    assert all(len(text) <= 3_000 for block in blocks for text in texts(block))
    assert texts(blocks[-1]) == [f"7 more: {PAGE}"]
