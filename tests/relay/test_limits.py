"""Every wait has an end and every buffer a bound: timeouts, caps and back-pressure, over real
sockets.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from monitor.errors import ConfigError
from monitor.relay.settings import RelaySettings
from tests.relay.harness import (
    answer,
    eventually,
    read_all,
    read_answer,
    read_exactly,
    read_head,
    running_origin,
    running_relay,
)

pytestmark = pytest.mark.end_to_end  # real sockets on loopback

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
UPLOAD = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc"


def _answers(connection: socket.socket, _number: int) -> None:
    while read_head(connection):
        connection.sendall(answer())


def _reads_only(connection: socket.socket, _number: int) -> None:
    read_all(connection)


def _send_until_held_back(client: socket.socket, piece: bytes, total: int) -> int:
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < total:
            sent += client.send(piece[: total - sent])
    return sent


def test_a_slow_head_is_given_up_while_others_are_served() -> None:
    timeouts = {"header": 0.3}
    with (
        running_origin(_answers) as origin,
        running_relay(origin.port, timeouts=timeouts) as relay,
        relay.connect() as slow,
    ):
        slow.sendall(GET[:20])
        with relay.connect() as client:
            client.sendall(GET)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
            got = read_all(slow)
            assert got.startswith(b"HTTP/1.1 408 ")
            assert b"x-sidelight-error: request_timeout" in got
            client.sendall(GET)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200")


def test_an_idle_client_is_closed_and_so_is_an_idle_upstream_connection() -> None:
    timeouts = {"client_idle": 0.4, "upstream_idle": 0.3}
    with (
        running_origin(_answers) as origin,
        running_relay(origin.port, timeouts=timeouts) as relay,
        relay.connect() as client,
    ):
        client.sendall(GET)
        read_answer(client)
        assert read_all(client) == b""
        eventually(lambda: not relay.worker.state.pool._idle)
        eventually(lambda: not relay.worker.state.guests)


def test_an_upload_that_stalls_is_a_408() -> None:
    with (
        running_origin(_reads_only) as origin,
        running_relay(origin.port, timeouts={"stream_idle": 0.3}) as relay,
        relay.connect() as client,
    ):
        client.sendall(UPLOAD)
        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_stalls_is_cut_short_but_a_model_that_thinks_is_not() -> None:
    def stalls(connection: socket.socket, number: int) -> None:
        read_head(connection)
        time.sleep(0.8 if number == 1 else 0)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        read_all(connection)

    with (
        running_origin(stalls) as origin,
        running_relay(origin.port, timeouts={"stream_idle": 0.3}) as relay,
    ):
        with relay.connect() as client:
            started = time.monotonic()
            client.sendall(GET)
            got = read_all(client)
        assert got.endswith(b"\r\n\r\nok")
        assert time.monotonic() - started > 0.8


def test_one_connection_too_many_is_a_503_with_retry_after() -> None:
    with running_origin(_answers) as origin, running_relay(origin.port, connections=4) as relay:
        kept = [relay.connect() for _ in range(4)]
        for client in kept:
            client.sendall(GET)
            read_answer(client)
        with relay.connect() as late:
            got = read_all(late)
        assert got.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in got
        assert b"x-sidelight-error: overloaded" in got
        kept.pop().close()
        eventually(lambda: len(relay.worker.state.guests) == 3)
        with relay.connect() as client:
            client.sendall(GET)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
        for client in kept:
            client.close()


def test_pipelining_without_end_is_held_back() -> None:
    def waits(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        go.wait(5)
        connection.sendall(answer())

    go = threading.Event()
    with (
        running_origin(waits) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.settimeout(0.5)
        sent = _send_until_held_back(client, GET * 1000, 64 << 20)
        assert sent < 32 << 20
        go.set()


def test_a_slow_reader_of_an_answer_holds_the_upstream_back() -> None:
    sent = [0]

    def pushes(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent[0] < total:
            sent[0] += connection.send(b"d" * 65536)

    total = 64 << 20
    with (
        running_origin(pushes) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.sendall(GET)
        read_head(client)
        time.sleep(0.5)
        assert sent[0] < 32 << 20
        assert len(read_exactly(client, total)) == total


def test_a_slow_reader_of_a_request_holds_the_client_back() -> None:
    go = threading.Event()
    total = 64 << 20

    def waits(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        go.wait(5)
        assert len(read_exactly(connection, total)) == total
        connection.sendall(answer())

    with (
        running_origin(waits) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.settimeout(0.5)
        client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % total)
        sent = _send_until_held_back(client, b"u" * (1 << 20), total)
        assert sent < 32 << 20
        go.set()
        client.settimeout(5)
        client.sendall(b"u" * (total - sent))
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200")


MINIMAL = {"listen_fd": 3, "upstream_host": "h", "upstream_port": 1, "upstream_authority": "h:1"}


def test_settings_come_from_json() -> None:
    text = (
        '{"listen_fd": 3, "upstream_host": "h", "upstream_port": 1, "upstream_authority": "h:1",'
        ' "paths": ["/a"], "timeouts": {"drain": 2}}'
    )
    settings = RelaySettings.from_json(text)
    assert settings.paths == ("/a",)
    assert settings.timeouts.drain == 2
    assert settings.timeouts.header == 10.0


@pytest.mark.parametrize(
    ("text", "named"),
    [("{", "JSON"), ("[]", "object"), ("{}", "listen_fd: is required"),
     ('{"listen_fd": "x"}', "listen_fd: must be a whole number"),
     ('{"listen_fd": true}', "listen_fd: must be a whole number"),
     ('{"sample": -1}', "sample: must be a number"), ('{"paths": "/a"}', "paths: must be a list"),
     ('{"wrong": 1}', "wrong: unknown key"), ('{"timeouts": {"x": 1}}', "timeouts.x: unknown key"),
     ('{"timeouts": {"drain": "1s"}}', "timeouts.drain: must be a number"),
     ('{"timeouts": 3}', "timeouts: must be an object")],
)  # fmt: skip
def test_every_fault_of_the_settings_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RelaySettings.from_json(text)
    assert named in str(caught.value)
