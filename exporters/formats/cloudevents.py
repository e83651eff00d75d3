"""CloudEvents 1.0 in structured JSON: one event an alert, signed by Standard Webhooks."""

from __future__ import annotations

from urllib.parse import quote

from exporters.formats.format import Format, Post, Receiver, signed_post, signs
from exporters.message import FIRING, MODEL_LABEL, Message

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
FIRING_TYPE = "io.sidelight.alert.firing"
RESOLVED_TYPE = "io.sidelight.alert.resolved"


def post(receiver: Receiver, message: Message, at: float) -> Post:
    """The one event of the one notice; its id is the same over all attempts."""
    (each,) = message.notices
    labels = each["labels"]
    firing = each["status"] == FIRING
    model, version = labels.get(MODEL_LABEL, ""), labels.get("version", "")
    event = {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/sidelight/models/{quote(model, safe='')}/versions/{quote(version, safe='')}",
        "type": FIRING_TYPE if firing else RESOLVED_TYPE,
        "subject": labels.get("column") or model or "sidelight",
        "time": each["startsAt"] if firing else each["endsAt"],
        "datacontenttype": "application/json",
        "data": each,
    }
    return signed_post(receiver, message, at, event, CONTENT_TYPE)


FORMAT = Format(post, single=True, check_secret=signs)
