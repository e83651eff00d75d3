"""What came of tunnelled HTTP/2 connections: exchanges for the observer, fates for the relay.

One for each relay worker's connection. Every stream that the worker counted is settled once.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from random import random

from monitor.codec.http2.assembler import AssemblerSettings, Settled
from monitor.codec.http2.tunnels import Tunnels
from monitor.records.framing import encode_exchange
from monitor.records.selection import OverheardSettings, Selection
from monitor.records.tunnelled import HTTP2, unpack_end, unpack_piece

FRAME_PREFIX_BYTES = 5  # what the queue holds is a frame's payload


class Overheard:
    """`arrived` queues an exchange, `aside` one that is no account of its own, `settled` tells
    fates.
    """

    def __init__(
        self,
        settings: OverheardSettings,
        arrived: Callable[[bytes], None],
        aside: Callable[[bytes], None],
        settled: Callable[[Counter[tuple[str, str]]], None],
    ) -> None:
        selection = Selection(settings.paths)
        prefix, numbers = secrets.token_hex(8), count(1)

        def offered(method: bytes, target: bytes) -> str:
            if random() >= settings.sample:  # noqa: S311 - chance, no secret
                return "sample"
            return selection(method, target) if target else ""

        assembling = AssemblerSettings(
            settings.max_body_bytes, offered, lambda: f"{prefix}-{next(numbers):x}"
        )
        self._tunnels = Tunnels(assembling)
        self._arrived = arrived
        self._aside = aside
        self._settled = settled

    def piece(self, payload: bytes, opened: Callable[[str], None]) -> None:
        """A piece of a connection; `opened` hears of each stream that it opens, before its fate."""
        piece = unpack_piece(payload)
        for _ in range(piece.opened):
            opened(HTTP2)
        self._take(self._tunnels.piece(piece))

    def end(self, payload: bytes) -> None:
        """A connection is over, or no more is told of it."""
        self._take(self._tunnels.end(unpack_end(payload)))

    def end_all(self) -> None:
        """The worker is gone."""
        self._take(self._tunnels.end_all())

    def _take(self, results: Sequence[Settled]) -> None:
        fates: Counter[tuple[str, str]] = Counter()
        for exchange, fate, counts in results:
            if exchange is not None:
                payload = encode_exchange(exchange)[FRAME_PREFIX_BYTES:]
                (self._arrived if counts else self._aside)(payload)
            elif fate is not None:
                fates[fate] += 1
        if fates:
            self._settled(fates)
