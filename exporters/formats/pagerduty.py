"""PagerDuty's Events API v2: one event an alert; the same key triggers and resolves.

The routing key is the secret. It stands in the body, so no body is ever logged.
"""

from __future__ import annotations

from typing import Any

from exporters.formats.format import Format, Post, Receiver, plain_post, shortened
from exporters.message import FIRING, MODEL_LABEL, Message, Notice

URL = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = {"critical": "critical", "error": "error", "warning": "warning", "info": "info"}


def post(receiver: Receiver, message: Message, at: float) -> Post:  # noqa: ARG001 - a Format
    """The one event of the one notice."""
    (each,) = message.notices
    event = {
        "routing_key": receiver.secret or "",
        "event_action": "trigger" if each["status"] == FIRING else "resolve",
        "dedup_key": each["fingerprint"],
        "client": "Sidelight",
        "payload": _payload(each),
        "links": _links(each),
    }
    if receiver.external_url:
        event["client_url"] = receiver.external_url
    return plain_post(receiver, event)


def _payload(each: Notice) -> dict[str, Any]:
    labels, notes = each["labels"], each["annotations"]
    name, model = labels.get("alertname", "alert"), labels.get(MODEL_LABEL, "")
    return {
        "summary": shortened(notes.get("summary") or name, 1_024),  # PagerDuty's limit
        "source": model or "sidelight",
        "severity": _SEVERITIES.get(labels.get("severity", ""), "warning"),
        "timestamp": each["startsAt"],
        "component": labels.get("column", model),
        "group": model,
        "class": name,
        "custom_details": {"description": notes.get("description", ""), "labels": labels},
    }


def _links(each: Notice) -> list[dict[str, str]]:
    notes = each["annotations"]
    named = (("dashboard_url", "Look"), ("runbook_url", "Runbook"))
    return [{"href": notes[key], "text": word} for key, word in named if notes.get(key)]


def _is_a_routing_key(receiver: Receiver) -> None:
    if not receiver.secret:
        raise ValueError("is required: the routing key of a PagerDuty integration")


FORMAT = Format(post, single=True, check_secret=_is_a_routing_key, default_url=URL)
