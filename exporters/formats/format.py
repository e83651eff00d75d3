"""What a receiver's format is: a pure function from a message to one HTTP request.

Knows nothing of sockets, retries, or when anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from exporters.message import Message
from exporters.signature import Signer

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go, and what only that receiver and we know."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    external_url: str = ""  # of the page, for people who look closer


@dataclass(frozen=True, slots=True)
class Post:
    """One POST, ready to be sent; it may hold the secret."""

    url: str = field(repr=False)
    payload: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def signs(receiver: Receiver) -> None:
    """ValueError where the secret cannot sign."""
    if receiver.secret is not None:
        Signer(receiver.secret)


def takes_no_secret(receiver: Receiver) -> None:
    """ValueError where a secret is given to a receiver whose URL is the secret."""
    if receiver.secret is not None:
        raise ValueError("has no use in this format, whose URL is the secret: leave it out")


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of receiver is told; `post` is given the time of the attempt."""

    post: Callable[[Receiver, Message, float], Post]
    single: bool = False  # one alert a message, else all that changed for a model
    repeat_seconds: float | None = None  # firing alerts are told again: the receiver forgets them
    check_secret: Callable[[Receiver], None] = takes_no_secret
    default_url: str | None = None


def signed_post(
    receiver: Receiver, message: Message, at: float, document: object, content_type: str = JSON
) -> Post:
    """A document under the headers of Standard Webhooks; the id alone where there is no secret."""
    payload = orjson.dumps(document)
    headers = {"webhook-id": message.id}
    if receiver.secret is not None:
        headers = Signer(receiver.secret).headers(message.id, at, payload)
    return Post(receiver.url, payload, {"content-type": content_type, **headers})


def plain_post(receiver: Receiver, document: Any) -> Post:  # noqa: ANN401 - any JSON
    """A document and nothing else: what a receiver is sent that has rules of its own."""
    return Post(receiver.url, orjson.dumps(document), {"content-type": JSON})


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` characters.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"
