"""Microsoft Teams: an adaptive card in the envelope that Workflows' webhooks take.

What comes from traffic stands in text runs, which know no markup, never in text blocks, which
would make links of it.
"""

from __future__ import annotations

from typing import Any

from exporters.formats.format import Format, Post, Receiver, plain_post, shortened
from exporters.message import FIRING, MODEL_LABEL, Message, Notice

MOST_ALERTS = 15  # Teams takes 28 kB a message
_CARD = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_STYLES = {"critical": "attention", "warning": "warning", "resolved": "good"}


def post(receiver: Receiver, message: Message, at: float) -> Post:  # noqa: ARG001 - a Format
    """All that changed for one model, in one card."""
    attachment = {"contentType": _CARD, "contentUrl": None, "content": _card(receiver, message)}
    return plain_post(receiver, {"type": "message", "attachments": [attachment]})


def _card(receiver: Receiver, message: Message) -> dict[str, Any]:
    shown = message.notices[:MOST_ALERTS]
    model = message.notices[0]["labels"].get(MODEL_LABEL, "")
    body = [_line([_run(f"Sidelight, {shortened(model, 200)}", weight="bolder", size="medium")])]
    body += [_alert(each) for each in shown]
    left = len(message.notices) - len(shown)
    if left:
        body.append(_line([_run(f"{left} more on the page.")]))
    card = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    links = _links(receiver, message)
    return {**card, "actions": links} if links else card


def _alert(each: Notice) -> dict[str, Any]:
    labels, notes = each["labels"], each["annotations"]
    firing = each["status"] == FIRING
    mood = labels.get("severity", "warning") if firing else "resolved"
    title = notes.get("summary") or labels.get("alertname", "alert")
    state = _run("Firing · " if firing else "Resolved · ", weight="bolder")
    lines = [_line([state, _run(shortened(title, 300))])]
    if firing and notes.get("description"):
        lines.append(_line([_run(shortened(notes["description"], 700), size="small")]))
    return {"type": "Container", "style": _STYLES.get(mood, "warning"), "items": lines}


def _links(receiver: Receiver, message: Message) -> list[dict[str, Any]]:
    """Where to look: the one column's view and runbook where all is about one, else the page."""
    notes = [each["annotations"] for each in message.notices]
    page = {note.get("dashboard_url", "") for note in notes}
    runbook = {note.get("runbook_url", "") for note in notes}
    targets = {
        "Look": page.pop() if len(page) == 1 else receiver.external_url,
        "Runbook": runbook.pop() if len(runbook) == 1 else "",
    }
    return [{"type": "Action.OpenUrl", "title": t, "url": u} for t, u in targets.items() if u]


def _line(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **look: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}


FORMAT = Format(post)
