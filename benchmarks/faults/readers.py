"""Scenario: nobody reads. The relay must hold both ends back, and nothing in its memory."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time

from benchmarks.faults.stage import RELAY, Stage
from benchmarks.faults.watch import Peak
from tests.end_to_end.sidecar import request

MB = 1e6
READERS = 8
BODY_BYTES = 24_000_000
PIECE_BYTES = 256 << 10
ASLEEP_SECONDS = 3.0
GROWTH_MB = 12.0  # for all of them together, of 2 x 192 MB under way


class _Reader:
    """A client that sends a body to be echoed, and reads none of it until told to."""

    def __init__(self, port: int, seed: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._piece = random.Random(seed).randbytes(PIECE_BYTES)
        self._sent = hashlib.sha256()
        self.sent_bytes = 0
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def _send(self) -> None:
        head = f"POST /echo HTTP/1.1\r\nhost: m\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
        self._connection.sendall(head.encode())
        while self.sent_bytes < BODY_BYTES:
            part = self._piece[: BODY_BYTES - self.sent_bytes]
            self._sent.update(part)
            self._connection.sendall(part)
            self.sent_bytes += len(part)

    def identical(self) -> bool:
        """Read all of it; whether it is what was sent."""
        received, seen = hashlib.sha256(), 0
        with self._connection.makefile("rb") as stream:
            while stream.readline() not in {b"\r\n", b""}:
                pass
            while seen < BODY_BYTES and (piece := stream.read1(PIECE_BYTES)):
                received.update(piece)
                seen += len(piece)
        self._sender.join(10)
        self._connection.close()
        return received.digest() == self._sent.digest() and seen == self.sent_bytes


def slow_readers(stage: Stage) -> None:
    """Clients and model both sleep with large bodies under way, beside traffic that is well."""
    sidecar = stage.sidecar()
    request(sidecar.port, "GET", "/item/1")
    load = stage.load(sidecar.port, clients=4, pause_seconds=0.005)
    time.sleep(1.0)
    with Peak(sidecar.children()[RELAY]) as peak:
        readers = [_Reader(sidecar.port, stage.seed + n) for n in range(READERS)]
        time.sleep(ASLEEP_SECONDS)
        held = sum(one.sent_bytes for one in readers)
        time.sleep(ASLEEP_SECONDS / 2)
        moved = sum(one.sent_bytes for one in readers) - held
        same = sum(one.identical() for one in readers)
    load.stop()
    stage.harmless(load)
    stage.at_most("taken from clients while nobody reads", moved / MB, 1.0, "MB")
    stage.at_most("relay's memory grew by", peak.growth_bytes / MB, GROWTH_MB, "MB")
    stage.check("bodies that came back identical", same, READERS, held=same == READERS)
    stage.accounted(sidecar)
