"""Alertmanager's own API, as Prometheus speaks to it: `POST /api/v2/alerts`.

It forgets what it is not told again: a firing alert carries the time at which it may be forgotten,
and is repeated well before. A resolved one carries its end.
"""

from __future__ import annotations

from typing import Any

from exporters.formats.format import Format, Post, Receiver, plain_post
from exporters.message import RESOLVED, Message, Notice, timestamp

PATH = "/api/v2/alerts"
REPEAT_SECONDS = 60.0
FORGOTTEN_SECONDS = 4 * REPEAT_SECONDS  # Prometheus' own ratio: three repeats may be lost


def post(receiver: Receiver, message: Message, at: float) -> Post:
    """Every notice as Alertmanager takes it; a secret becomes a bearer token."""
    alerts = [_alert(each, at) for each in message.notices]
    made = plain_post(Receiver(_url(receiver.url)), alerts)
    token = {"authorization": f"Bearer {receiver.secret}"} if receiver.secret else {}
    return Post(made.url, made.payload, {**made.headers, **token})


def _url(configured: str) -> str:
    """The URL of the API; the configured one may name it, or the server alone."""
    base = configured.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def _alert(each: Notice, at: float) -> dict[str, Any]:
    resolved = each["status"] == RESOLVED
    alert = {
        "labels": each["labels"],
        "annotations": each["annotations"],
        "startsAt": each["startsAt"],
        "endsAt": each["endsAt"] if resolved else timestamp(at + FORGOTTEN_SECONDS),
    }
    source = each["annotations"].get("dashboard_url") or each["generatorURL"]
    return {**alert, "generatorURL": source} if source else alert


def _is_a_token(receiver: Receiver) -> None:
    if receiver.secret is not None and not receiver.secret.isascii():
        raise ValueError("is sent as a bearer token here, which is ASCII")
    if receiver.secret is not None and not receiver.secret.isprintable():
        raise ValueError("is sent as a bearer token here, which is one line")


FORMAT = Format(post, repeat_seconds=REPEAT_SECONDS, check_secret=_is_a_token)
