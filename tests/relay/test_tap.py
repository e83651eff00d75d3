"""The tap's side of the wire: what it says unasked, and a monitor that does not behave."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from monitor.records.framing import ACK, encode_json
from monitor.relay import worker
from monitor.relay.tap import BURST_BYTES, RECONNECT_SECONDS
from monitor.relay.worker import SWEEP_SECONDS
from tests.relay.harness import (
    Monitor,
    Relay,
    answer,
    eventually,
    read_answer,
    read_exactly,
    read_head,
    running_origin,
    running_relay,
    tap_path,
)

pytestmark = pytest.mark.end_to_end  # real sockets on loopback

POST = b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"


def _model(connection: socket.socket, _number: int) -> None:
    while read_head(connection):
        connection.sendall(answer(read_exactly(connection, 3)))


def _post(client: socket.socket) -> None:
    client.sendall(POST)
    assert read_answer(client)[1] == b"abc"


@contextlib.contextmanager
def _relayed(monitor: Monitor, worker: int = 0) -> Iterator[Relay]:
    with (
        running_origin(_model) as origin,
        running_relay(origin.port, tap_path=monitor.path, worker=worker) as relay,
    ):
        yield relay


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with tap_path() as path:
        monitor = Monitor(path)
        yield monitor
        monitor.kill()


@pytest.mark.parametrize(
    "lie",
    [encode_json(ACK, {"observed": 9}), encode_json(ACK, {"observed": -1}), b"\xff" * 9,
     encode_json(ACK, {"observed": "many"}), b"\x00\x00\x00\x02\x03x",
     b"\x00\x00\x00\x03\x03[]", encode_json(ACK, {"skipped": [1]})],
)  # fmt: skip
def test_a_monitor_that_lies_is_hung_up_on_and_books_nothing(monitor: Monitor, lie: bytes) -> None:
    monitor.acknowledges = False
    with _relayed(monitor) as relay:
        eventually(lambda: relay.worker.state.tap.connected)
        with relay.connect() as client:
            _post(client)
        eventually(lambda: len(monitor.exchanges) == 1)
        monitor._connections[0].sendall(lie)
        eventually(lambda: relay.outcomes["dropped"] == {"monitor_lost": 1})
        assert relay.outcomes["observed"] == {}


def test_the_accounts_are_sent_on_arrival_and_every_second(monitor: Monitor) -> None:
    with _relayed(monitor, worker=3) as relay:
        eventually(lambda: monitor.accounts != {})
        assert monitor.accounts["worker"] == 3
        assert monitor.accounts["accepting"] is True
        with relay.connect() as client:
            _post(client)
            eventually(lambda: monitor.accounts["outcomes"]["observed"] == {"": 1})
        assert monitor.accounts["requests"] == {"200": 1}
        assert sum(monitor.accounts["duration"]["counts"]) == 1
        assert sum(monitor.accounts["overhead"]["counts"]) == 1
        assert monitor.accounts["overhead"]["sum"] < monitor.accounts["duration"]["sum"]


def test_a_monitor_that_hangs_up_at_once_is_not_hammered() -> None:
    arrivals: list[float] = []

    def hangs_up() -> None:
        while len(arrivals) < 5:
            connection, _ = listener.accept()
            arrivals.append(time.monotonic())
            connection.close()

    with tap_path() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        threading.Thread(target=hangs_up, daemon=True).start()
        with (
            running_origin(_model) as origin,
            running_relay(origin.port, tap_path=path) as relay,
            relay.connect() as client,
        ):
            _post(client)
            eventually(lambda: len(arrivals) == 5)
    pauses = [later - sooner for sooner, later in itertools.pairwise(arrivals)]
    assert min(pauses) > RECONNECT_SECONDS * 0.8  # the listener may see one late, the next in time
    assert sum(pauses) < 5.0


def test_what_a_burst_took_is_given_back_once_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[int] = []
    monkeypatch.setattr(worker, "give_back", lambda: given_back.append(1))
    body = b"x" * (900 << 10)
    post = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def model(connection: socket.socket, _number: int) -> None:
        while read_head(connection):
            read_exactly(connection, len(body))
            connection.sendall(answer(b"abc"))

    with tap_path() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with running_origin(model) as origin, running_relay(origin.port, tap_path=path) as relay:
            monitor, _ = listener.accept()  # and reads nothing for now
            tap = relay.worker.state.tap
            with monitor, relay.connect() as client:
                eventually(lambda: tap.connected)
                for _ in range(6):
                    client.sendall(post)
                    assert read_answer(client)[1] == b"abc"
                eventually(lambda: tap.held_bytes > BURST_BYTES)
                time.sleep(2 * SWEEP_SECONDS)
                assert given_back == []
                monitor.settimeout(5)
                while tap.held_bytes:
                    monitor.recv(1 << 20)
                eventually(lambda: given_back == [1])
