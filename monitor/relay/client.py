"""What a transaction asks of the connection that its request came on."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Client(Protocol):
    """The connection that a request came on."""

    transport: asyncio.Transport
    last_answer: bool  # its client sends no more, or asked for a close
    write_paused: bool
    active_at_seconds: float

    def hold(self) -> None:
        """Reads no more of the request for now."""

    def unhold(self) -> None:
        """Goes on reading the request."""

    def finished(self, *, close: bool) -> None:
        """The answer is complete."""

    def truncate(self, *, reset: bool) -> None:
        """The answer will never be complete; `reset` when a mere close would hide that."""

    def become_tunnel(self, upstream: asyncio.Transport, from_upstream: bytes) -> None:
        """From here on bytes pass untouched."""
