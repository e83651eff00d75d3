"""The observer over a real unix socket: every exchange has one fate; a full queue stops reading."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from monitor import observer as observer_module
from monitor.accounts import Accounts
from monitor.codec import Decoder
from monitor.observer import Observer
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange
from monitor.records.framing import (
    ACK,
    COUNTERS,
    FrameReader,
    decode_json,
    encode_exchange,
    encode_json,
)

COUNTS = {
    "worker": 0,
    "incarnation": "a",
    "requests": {"200": 3},
    "outcomes": {},
    "duration": {"bounds": [1.0], "counts": [3, 0], "sum": 0.1},
    "overhead": {"bounds": [1.0], "counts": [3, 0], "sum": 0.1},
    "queue_bytes": 0,
    "connections": 1,
    "accepting": True,
}


def _exchange(number: int, body: bytes | None = None) -> Exchange:
    fields = b"Content-Type: application/json\r\n"
    return Exchange(
        f"id-{number}",
        "POST",
        "/predict",
        200,
        time.time(),
        0.001,
        fields,
        json.dumps({"instances": [{"x": number}]}).encode() if body is None else body,
        fields,
        b'{"predictions": [1.5]}',
    )


class Tap:
    """A relay worker's end, on a plain blocking socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(5)
        self._frames = FrameReader()
        self.observed = 0
        self.failed: dict[str, int] = {}

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self) -> bytes:
        """Take in some acknowledgements; b"" once the other end has closed."""
        data = self._socket.recv(65536)
        for kind, payload in self._frames.feed(data):
            assert kind == ACK
            message = decode_json(payload)
            self.observed += message["observed"]
            for reason, count in message["failed"].items():
                self.failed[reason] = self.failed.get(reason, 0) + count
        return data

    def close(self) -> None:
        self._socket.close()


def _observe(
    folder: Path,
    story: Callable[[Tap, Observer], None],
    behind: Callable[[], int] = lambda: 0,
    pause: Callable[[], None] = lambda: None,
) -> tuple[list[Batch], Accounts, Observer]:
    """Run an observer's loop while `story` plays a relay worker in a thread."""
    batches: list[Batch] = []
    accounts = Accounts()

    async def run() -> Observer:
        seen = Observer(Decoder(), batches.append, accounts, behind=behind, pause=pause)
        path = folder / "tap.sock"
        server = await asyncio.get_running_loop().create_unix_server(seen.connection, str(path))
        work = asyncio.create_task(seen.run())
        tap = Tap(path)
        try:
            playing: Awaitable[None] = asyncio.to_thread(story, tap, seen)
            await asyncio.wait_for(playing, 20)
        finally:
            tap.close()
            work.cancel()
            server.close()
            await server.wait_closed()
            await asyncio.gather(work, return_exceptions=True)
        return seen

    return batches, accounts, asyncio.run(run())


def test_every_exchange_is_observed_or_failed_for_a_reason(tmp_path: Path) -> None:
    def story(tap: Tap, _: Observer) -> None:
        for number in range(1000):
            body = b"{" if number % 10 == 0 else None
            tap.send(encode_exchange(_exchange(number, body)))
        while tap.observed + sum(tap.failed.values()) < 1000:
            assert tap.read()
        assert (tap.observed, tap.failed) == (900, {"not_json": 100})

    batches, _, seen = _observe(tmp_path, story)
    ids = [prediction_id for batch in batches for prediction_id in batch.ids]
    assert ids == [f"id-{number}" for number in range(1000) if number % 10]
    assert seen.failures == {"not_json": 100}


def test_others_have_the_core_after_every_exchange(tmp_path: Path) -> None:
    paused = 0

    def pause() -> None:
        nonlocal paused
        paused += 1

    def story(tap: Tap, _: Observer) -> None:
        for number in range(300):
            tap.send(encode_exchange(_exchange(number, b"{" if number % 3 else None)))
        while tap.observed + sum(tap.failed.values()) < 300:
            assert tap.read()

    _observe(tmp_path, story, pause=pause)
    assert paused >= 300


def test_single_rows_are_handed_over_together(tmp_path: Path) -> None:
    def story(tap: Tap, _: Observer) -> None:
        tap.send(b"".join(encode_exchange(_exchange(number)) for number in range(200)))
        while tap.observed < 200:
            assert tap.read()

    batches, _, _ = _observe(tmp_path, story)
    assert len(batches) < 20
    assert [x for batch in batches for x in batch.features["x"]] == list(range(200))


def test_a_workers_counters_reach_the_accounts(tmp_path: Path) -> None:
    def story(tap: Tap, _: Observer) -> None:
        tap.send(encode_json(COUNTERS, COUNTS) + encode_exchange(_exchange(1)))
        while tap.observed < 1:
            assert tap.read()

    _, accounts, seen = _observe(tmp_path, story)
    # Three that it reported, and the one after that: it left before it could report again.
    assert accounts.traffic(time.monotonic()).requests == {"200": 4}
    assert 0 <= seen.lag_seconds < 5


def test_a_broken_peer_is_cut_off_and_others_are_heard(tmp_path: Path) -> None:
    def story(tap: Tap, _: Observer) -> None:
        broken = Tap(tmp_path / "tap.sock")
        broken.send(b"\xff" * 100)
        with contextlib.suppress(ConnectionResetError):
            assert broken.read() == b""
        broken.close()
        tap.send(encode_exchange(_exchange(1)))
        while tap.observed < 1:
            assert tap.read()

    batches, _, _ = _observe(tmp_path, story)
    assert len(batches) == 1


def test_an_observer_that_cannot_follow_stops_reading_and_goes_on_later(
    tmp_path: Path,
) -> None:
    frame = encode_exchange(_exchange(1, b"[" + b" " * 100_000 + b"]"))
    total = 3 * observer_module.HIGH_WATER_BYTES // len(frame)

    def story(tap: Tap, _: Observer) -> None:
        tap.send(frame * total)  # blocks while nobody reads: the relay would drop and count instead
        while sum(tap.failed.values()) < total:
            assert tap.read()

    _, _, seen = _observe(tmp_path, story)
    assert sum(seen.failures.values()) == total
    assert not seen.full


def test_rows_wait_while_those_before_them_are_kept(tmp_path: Path) -> None:
    left = [0, 300, 200, 100, 0]  # before the first slice is through, then at each look
    looks: list[int] = []

    def behind() -> int:
        looks.append(left[min(len(looks), len(left) - 1)])
        return looks[-1]

    total = 3 * observer_module.SLICE_EXCHANGES

    def story(tap: Tap, _: Observer) -> None:
        tap.send(b"".join(encode_exchange(_exchange(number)) for number in range(total)))
        while tap.observed < total:
            assert tap.read()

    batches, _, _ = _observe(tmp_path, story, behind)
    assert sum(map(len, batches)) == total
    assert looks[:5] == left  # it looked again until nothing was left


def test_a_store_that_hangs_holds_nothing_up(tmp_path: Path) -> None:
    def story(tap: Tap, _: Observer) -> None:
        tap.send(b"".join(encode_exchange(_exchange(number)) for number in range(2000)))
        while tap.observed < 2000:
            assert tap.read()

    batches, _, _ = _observe(tmp_path, story, lambda: 1_000_000)
    assert sum(map(len, batches)) == 2000


def test_large_batches_are_handed_over_a_few_at_a_time(tmp_path: Path) -> None:
    body = json.dumps({"instances": [{"x": row} for row in range(100)]}).encode()
    answer = json.dumps({"predictions": [1.5] * 100}).encode()
    frame = encode_exchange(replace(_exchange(1, body), response_body=answer))

    def story(tap: Tap, _: Observer) -> None:
        tap.send(frame * 60)
        while tap.observed < 60:
            assert tap.read()

    batches, _, _ = _observe(tmp_path, story)
    assert sum(map(len, batches)) == 6000
    assert max(map(len, batches)) <= observer_module.SLICE_ROWS
