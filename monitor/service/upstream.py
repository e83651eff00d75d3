"""Whether the model server takes connections now."""

from __future__ import annotations

import asyncio
import time

FRESH_SECONDS = 1.0  # probes closer together than this share one answer


class UpstreamProbe:
    """A TCP connect with a deadline; one answer serves all who ask at about the same time."""

    def __init__(self, host: str, port: int, timeout_seconds: float) -> None:
        self._host = host
        self._port = port
        self._timeout_seconds = timeout_seconds
        self._asked_at = float("-inf")
        self.reachable: bool | None = None

    async def ask(self) -> bool:
        """Whether the model server is reachable."""
        now = time.monotonic()
        if self.reachable is None or now - self._asked_at >= FRESH_SECONDS:
            self._asked_at = now
            self.reachable = await self._connect()
        return self.reachable

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
