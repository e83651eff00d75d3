"""Slack's incoming webhooks: one message a model, one coloured block an alert.

What is told comes partly from traffic (column names, categories), so it goes in as text: Slack's
control characters are escaped, and nothing can mention a channel or make a link of its own.
"""

from __future__ import annotations

from typing import Any

from exporters.formats.format import Format, Post, Receiver, plain_post, shortened
from exporters.message import FIRING, MODEL_LABEL, Message, Notice

MOST_ALERTS = 20  # Slack takes 50 blocks; nobody reads more than this at night
_MOST_TEXT = 2_900  # Slack takes 3,000 characters a text
_COLOURS = {"critical": "#c0262d", "warning": "#d98200", "resolved": "#1a7f4b"}


def post(receiver: Receiver, message: Message, at: float) -> Post:  # noqa: ARG001 - a Format
    """All that changed for one model."""
    shown = message.notices[:MOST_ALERTS]
    attachments = [_attachment(each) for each in shown]
    left = len(message.notices) - len(shown)
    if left:
        more = f"{left} more: {receiver.external_url}".removesuffix(": ")
        attachments.append({"blocks": [_section(more)]})
    document = {
        "text": _headline(message),
        "attachments": attachments,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return plain_post(receiver, document)


def _headline(message: Message) -> str:
    """What a phone shows before anyone looks."""
    firing = sum(each["status"] == FIRING for each in message.notices)
    resolved = len(message.notices) - firing
    counts = [f"{n} {word}" for n, word in ((firing, "firing"), (resolved, "resolved")) if n]
    model = message.notices[0]["labels"].get(MODEL_LABEL, "")
    return escaped(f"Sidelight, {shortened(model, 200)}: {', '.join(counts)}")


def _attachment(each: Notice) -> dict[str, Any]:
    labels, notes = each["labels"], each["annotations"]
    firing = each["status"] == FIRING
    mood = labels.get("severity", "warning") if firing else "resolved"
    title = notes.get("summary") or labels.get("alertname", "alert")
    text = f"*{'Firing' if firing else 'Resolved'}* · {escaped(shortened(title, 500))}"
    if firing and notes.get("description"):
        text += f"\n{escaped(shortened(notes['description'], 1_500))}"
    links = [
        f"<{escaped(notes[key])}|{word}>"
        for key, word in (("dashboard_url", "Look"), ("runbook_url", "Runbook"))
        if notes.get(key)
    ]
    blocks = [_section(text)]
    if firing and links:
        blocks.append({"type": "context", "elements": [_markdown(" · ".join(links))]})
    return {"color": _COLOURS.get(mood, _COLOURS["warning"]), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _markdown(text)}


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": shortened(text, _MOST_TEXT), "verbatim": True}


def escaped(text: str) -> str:
    """Text in which Slack finds no mention and no link.

    >>> escaped("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT = Format(post)
