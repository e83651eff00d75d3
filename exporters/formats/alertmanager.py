"""Alertmanager's webhook format, version 4: whatever receives Alertmanager receives this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporters.formats.format import Format, Post, Receiver, signed_post, signs
from exporters.message import FIRING, MODEL_LABEL, RESOLVED, Message, Notice

RECEIVER = "sidelight"


def post(receiver: Receiver, message: Message, at: float) -> Post:
    """All that changed for one model, signed."""
    return signed_post(receiver, message, at, body(message.notices, receiver.external_url))


def body(notices: Sequence[Notice], external_url: str) -> dict[str, Any]:
    """The message that tells `notices`, all of one model.

    It fires if any of them does. The field order is Alertmanager's own.
    """
    labels = [each["labels"] for each in notices]
    group = {MODEL_LABEL: labels[0].get(MODEL_LABEL, "")}
    fires = any(each["status"] == FIRING for each in notices)
    return {
        "receiver": RECEIVER,
        "status": FIRING if fires else RESOLVED,
        "alerts": list(notices),
        "groupLabels": group,
        "commonLabels": _common(labels),
        "commonAnnotations": _common([each["annotations"] for each in notices]),
        "externalURL": external_url,
        "version": "4",
        "groupKey": f'{{}}:{{{MODEL_LABEL}="{group[MODEL_LABEL]}"}}',
        "truncatedAlerts": 0,
    }


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = mappings
    shared = first.items()
    return {k: v for k, v in shared if all(other.get(k) == v for other in others)}


FORMAT = Format(post, check_secret=signs)
