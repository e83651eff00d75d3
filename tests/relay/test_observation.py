"""What reaches the monitor, what the accounts say of the rest, and that the two always add up."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.records.framing import ACK, encode_json
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

BODY = b'{"x": 1}'
PIECE_SECONDS = 0.05
HEAD = b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n"


def _model(connection: socket.socket, _number: int) -> None:
    """Answers by its target: /N with N bytes, /chunks with chunks, /404 with that, else with its
    own head.
    """
    while head := read_head(connection):
        length = re.search(rb"content-length: (\d+)", head.lower())
        read_exactly(connection, int(length[1]) if length else 0)
        target = head.split(b" ")[1]
        if target == b"/chunks":
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                b"chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
            )
        elif target == b"/404":
            connection.sendall(answer(b"none", b"404 Not Found"))
        elif target[1:].isdigit():
            connection.sendall(answer(b"b" * int(target[1:])))
        else:
            connection.sendall(answer(head))


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with tap_path() as path:
        monitor = Monitor(path)
        yield monitor
        monitor.kill()


def _relay(port: int, monitor: Monitor, **settings: Any) -> Any:
    return running_relay(port, tap_path=monitor.path, **settings)


def _settled(relay: Relay) -> int:
    """How many requests have an outcome."""
    return sum(sum(reasons.values()) for reasons in relay.outcomes.values())


def _connected(relay: Relay) -> None:
    eventually(lambda: relay.worker.state.tap.connected)


def _post(
    client: socket.socket, target: bytes = b"/predict", fields: bytes = b""
) -> tuple[bytes, bytes]:
    client.sendall(HEAD.replace(b"/predict", target) + fields + b"\r\n" + BODY)
    return read_answer(client)


def test_an_exchange_reaches_the_monitor_as_it_was(monitor: Monitor) -> None:
    with running_origin(_model) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        with relay.connect() as client:
            head, body = _post(client, b"/predict?v=1", b"X-Request-Id: caller-1\r\n")
            assert b"x-prediction-id: caller-1\r\n" in head
            assert b"X-Request-Id: caller-1\r\n" in body
        eventually(lambda: relay.outcomes["observed"] == {"": 1})
    (seen,) = monitor.exchanges
    assert (seen.prediction_id, seen.method, seen.target) == ("caller-1", "POST", "/predict?v=1")
    assert (seen.status, seen.request_body, seen.response_body) == (200, BODY, body)
    assert seen.request_fields == (b"Host: h\r\nContent-Length: 8\r\nX-Request-Id: caller-1\r\n")
    assert seen.response_fields == b"Content-Length: %d\r\n" % len(body)
    assert 0 < seen.duration_seconds < 5
    assert seen.started_at > 1.6e9


@pytest.mark.parametrize("bad", [b"", b"X-Request-Id: a b\r\n", b"X-Request-Id: \xe9\r\n"])
def test_an_id_is_made_where_the_caller_gave_none_that_can_be_kept(
    monitor: Monitor, bad: bytes
) -> None:
    with (
        running_origin(_model) as origin,
        _relay(origin.port, monitor) as relay,
        relay.connect() as client,
    ):
        answers = [_post(client, fields=bad) for _ in range(3)]
    ids = [
        re.search(rb"x-prediction-id: ([A-Za-z0-9._:-]{1,128})\r\n", head) for head, _ in answers
    ]
    assert len({found[1] for found in ids if found}) == 3
    for found, (_, seen_by_model) in zip(ids, answers, strict=True):
        assert found
        assert re.findall(rb"(?i)x-request-id: (.*)\r\n", seen_by_model) == [found[1]]


def test_chunked_bodies_are_observed_without_their_chunks(monitor: Monitor) -> None:
    def chunks(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        read_exactly(connection, len(b"3\r\nabc\r\n0\r\n\r\n"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n")
        connection.sendall(b"1\r\nf\r\n0\r\n\r\n")

    with running_origin(chunks) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        relay.ask(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
            b"chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n"
        )
        eventually(lambda: len(monitor.exchanges) == 1)
    assert monitor.exchanges[0].request_body == b"abc"
    assert monitor.exchanges[0].response_body == b"def"


def test_an_answer_in_pieces_tells_when_its_first_byte_came(monitor: Monitor) -> None:
    seen = threading.Event()

    def slow(connection: socket.socket, _number: int) -> None:
        while head := read_head(connection):
            read_exactly(connection, len(BODY))
            if b"/whole" in head:
                connection.sendall(answer(b"all"))
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            threading.Event().wait(PIECE_SECONDS)
            connection.sendall(b"2\r\nde\r\n")
            seen.wait(5.0)
            connection.sendall(b"1\r\nf\r\n0\r\n\r\n")

    with running_origin(slow) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        relay.ask(HEAD.replace(b"/predict", b"/whole") + b"\r\n" + BODY)
        with relay.connect() as client:
            client.sendall(HEAD + b"\r\n" + BODY)
            while b"\r\nde\r\n" not in client.recv(65536):
                pass
            threading.Event().wait(PIECE_SECONDS)
            seen.set()
            eventually(lambda: len(monitor.exchanges) == 2)
    whole, pieces = monitor.exchanges
    assert whole.first_byte_seconds == 0.0
    assert pieces.first_byte_seconds >= PIECE_SECONDS
    assert pieces.duration_seconds - pieces.first_byte_seconds >= PIECE_SECONDS * 0.99


@pytest.mark.parametrize(
    ("request_bytes", "settings", "reason"),
    [
        (b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n", {}, "method"),
        (HEAD + b"\r\n" + BODY, {"paths": ("/other",)}, "path"),
        (HEAD + b"\r\n" + BODY, {"sample": 0.0}, "sample"),
        (HEAD.replace(b"/predict", b"/404") + b"\r\n" + BODY, {}, "status"),
        (HEAD + b"\r\n" + BODY, {"max_body_bytes": 7}, "size"),
        (HEAD.replace(b"/predict", b"/9") + b"\r\n" + BODY, {"max_body_bytes": 8}, "size"),
    ],
)
def test_what_is_not_offered_passes_unchanged_and_is_counted(
    monitor: Monitor, request_bytes: bytes, settings: dict[str, Any], reason: str
) -> None:
    with running_origin(_model) as origin, _relay(origin.port, monitor, **settings) as relay:
        _connected(relay)
        with relay.connect() as client:
            client.sendall(request_bytes)
            head, body = read_answer(client)
        assert b"x-prediction-id" not in head
        if reason in {"path", "sample"}:
            assert b"x-request-id" not in body
        assert relay.outcomes["skipped"] == {reason: 1}
        assert relay.worker.state.tap.held_bytes == 0
        assert not monitor.exchanges


def test_a_body_found_too_large_on_the_way_is_skipped_and_let_go(monitor: Monitor) -> None:
    with (
        running_origin(_model) as origin,
        _relay(origin.port, monitor, max_body_bytes=5) as relay,
        relay.connect() as client,
    ):
        client.sendall(
            HEAD.replace(b"Content-Length: 8", b"Content-Length: 0").replace(
                b"/predict", b"/chunks"
            )
            + b"\r\n"
        )
        head = read_head(client)
        assert b"x-prediction-id" in head or b"transfer-encoding: chunked" in head
        eventually(lambda: relay.outcomes["skipped"] == {"size": 1})
        assert relay.worker.state.tap.held_bytes == 0


def test_a_full_queue_drops_the_newest_and_never_waits(monitor: Monitor) -> None:
    with (
        running_origin(_model) as origin,
        _relay(origin.port, monitor, queue_bytes=900) as relay,
    ):
        _connected(relay)
        with relay.connect() as client:
            for _ in range(20):
                assert _post(client, b"/1")[1] == b"b"
            assert _post(client, b"/2000")[1] == b"b" * 2000
        eventually(lambda: _settled(relay) == 21)
        assert relay.outcomes["dropped"]["queue_full"] >= 1
        assert relay.outcomes["observed"].get("", 0) == len(monitor.exchanges)


def test_the_first_monitor_is_waited_for_and_its_absence_is_counted() -> None:
    with (
        tap_path() as path,
        running_origin(_model) as origin,
        running_relay(origin.port, tap_path=path) as relay,
        relay.connect() as client,
    ):
        for _ in range(3):
            assert b"x-prediction-id" in _post(client)[0]
        assert relay.outcomes["dropped"] == {}
        monitor = Monitor(path)
        eventually(lambda: len(monitor.exchanges) == 3)
        eventually(lambda: relay.outcomes["observed"] == {"": 3})
        assert relay.worker.state.tap.held_bytes == 0
        monitor.kill()
        eventually(lambda: not relay.worker.state.tap.connected)
        _post(client)
        assert relay.outcomes["dropped"] == {"no_monitor": 1}


def test_no_more_waits_for_the_first_monitor_than_the_queue_holds() -> None:
    with (
        tap_path() as path,
        running_origin(_model) as origin,
        running_relay(origin.port, tap_path=path, queue_bytes=900) as relay,
        relay.connect() as client,
    ):
        for _ in range(20):
            _post(client)
        waiting = 20 - relay.outcomes["dropped"]["queue_full"]
        assert 0 < waiting < 20
        assert relay.worker.state.tap.held_bytes <= 900
        monitor = Monitor(path)
        eventually(lambda: len(monitor.exchanges) == waiting)
        eventually(lambda: _settled(relay) == 20)
        monitor.kill()


def test_where_no_monitor_is_to_come_none_is_waited_for() -> None:
    with (
        running_origin(_model) as origin,
        running_relay(origin.port, tap_path="") as relay,
        relay.connect() as client,
    ):
        _post(client)
        assert relay.outcomes["dropped"] == {"no_monitor": 1}
        assert relay.worker.state.tap.held_bytes == 0


def test_what_a_killed_monitor_had_not_acknowledged_is_lost_and_counted(monitor: Monitor) -> None:
    monitor.acknowledges = False
    with running_origin(_model) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        with relay.connect() as client:
            for _ in range(5):
                _post(client)
            eventually(lambda: len(monitor.exchanges) == 5)
            monitor.kill()
            eventually(lambda: relay.outcomes["dropped"] == {"monitor_lost": 5})
            assert _post(client)[0].startswith(b"HTTP/1.1 200")
            monitor.acknowledges = True
            monitor.start()
            _connected(relay)
            _post(client)
            eventually(lambda: relay.outcomes["observed"] == {"": 1})
        assert sum(relay.requests.values()) == _settled(relay) == 7


def test_the_monitors_verdicts_are_booked(monitor: Monitor) -> None:
    monitor.acknowledges = False
    with running_origin(_model) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        with relay.connect() as client:
            for _ in range(4):
                _post(client)
        eventually(lambda: len(monitor.exchanges) == 4)
        verdict = {"observed": 1, "skipped": {"empty": 1}, "failed": {"format": 2}}
        monitor._connections[0].sendall(encode_json(ACK, verdict))
        eventually(lambda: _settled(relay) == 4)
        assert relay.outcomes == {
            "observed": {"": 1}, "dropped": {}, "skipped": {"empty": 1}, "failed": {"format": 2},
        }  # fmt: skip


def test_the_accounts_add_up_under_load_with_a_monitor_that_dies(monitor: Monitor) -> None:
    killed = threading.Event()
    sent: list[int] = []

    def ask(relay: Relay) -> None:
        number = 0
        with relay.connect() as client:
            while number < 150 or not killed.is_set():
                number += 1
                target = (b"/predict", b"/404", b"/chunks", b"/70000")[number % 4]
                if target == b"/chunks":
                    client.sendall(HEAD.replace(b"/predict", target) + b"\r\n" + BODY)
                    read_head(client)
                    read_exactly(client, len(b"6\r\nabcdef\r\n0\r\n\r\n"))
                else:
                    assert _post(client, target)[1]
        sent.append(number)

    with running_origin(_model) as origin, _relay(origin.port, monitor) as relay:
        _connected(relay)
        clients = [threading.Thread(target=ask, args=(relay,)) for _ in range(4)]
        for client in clients:
            client.start()
        for _ in range(3):
            eventually(lambda: bool(monitor.exchanges))
            monitor.kill()
            monitor.exchanges.clear()
            monitor.start()
        killed.set()
        for client in clients:
            client.join()
        eventually(lambda: relay.worker.state.tap.unacknowledged == 0)
        assert sum(relay.requests.values()) == _settled(relay) == sum(sent)
        assert relay.worker.state.tap.held_bytes == 0
