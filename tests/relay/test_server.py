"""The relay over real sockets: forwarding, faults of either side, and what the client is told."""

from __future__ import annotations

import json
import socket
import struct
import threading

import pytest

from tests.relay.harness import (
    PATIENCE_SECONDS,
    Script,
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
POST = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"


def _echo(connection: socket.socket, _number: int) -> None:
    """Answers every request with its own body, or its target."""
    while head := read_head(connection):
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        body = read_exactly(connection, length)
        connection.sendall(answer(body or head.split(b" ")[1]))


def test_sequential_and_pipelined_requests_share_one_upstream_connection() -> None:
    with running_origin(_echo) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            for _ in range(3):
                client.sendall(POST)
                assert read_answer(client)[1] == b"abc"
            client.sendall(GET + POST + GET)
            assert [read_answer(client)[1] for _ in range(3)] == [b"/p", b"abc", b"/p"]
        assert origin.connections == 1
        assert relay.requests == {"200": 6}


def test_a_head_byte_by_byte() -> None:
    with (
        running_origin(_echo) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        for byte in POST:
            client.sendall(bytes([byte]))
        assert read_answer(client)[1] == b"abc"


def test_a_large_body_passes_byte_by_byte_identical() -> None:
    body = bytes(range(256)) * 8192
    with (
        running_origin(_echo) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        head = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
        threading.Thread(target=client.sendall, args=(head + body,)).start()
        assert read_answer(client)[1] == body


def test_half_close_after_a_full_request_is_answered() -> None:
    with running_origin(_echo) as origin, running_relay(origin.port) as relay:
        assert relay.ask(GET).endswith(b"\r\n\r\n/p")


def test_connection_close_is_honoured() -> None:
    with (
        running_origin(_echo) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
        assert b"\r\nconnection: close\r\n" in read_all(client)


def test_nobody_listens_upstream() -> None:
    with running_origin(_echo) as origin:
        port = origin.port
    with running_relay(port) as relay, relay.connect() as client:
        for _ in range(2):  # the connection goes on
            client.sendall(POST)
            head, body = read_answer(client)
            assert head.startswith(b"HTTP/1.1 502 ")
            assert b"x-sidelight-error: upstream_connect" in head
            assert "error" in json.loads(body)
        assert relay.outcomes["skipped"] == {"status": 2}


def _resets(connection: socket.socket, _number: int) -> None:
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _closes(connection: socket.socket, _number: int) -> None:
    read_head(connection)


def _half_a_head(connection: socket.socket, _number: int) -> None:
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")


def _garbage(connection: socket.socket, _number: int) -> None:
    read_head(connection)
    connection.sendall(b"\x00\x01 not http\r\n\r\n")


def _bad_chunk(connection: socket.socket, _number: int) -> None:
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")


@pytest.mark.parametrize(
    ("script", "code"),
    [(_resets, "upstream_reset"), (_closes, "upstream_reset"), (_half_a_head, "upstream_reset"),
     (_garbage, "upstream_protocol"), (_bad_chunk, "upstream_protocol")],
)  # fmt: skip
def test_a_faulty_upstream_is_a_502_with_its_reason(script: Script, code: str) -> None:
    with running_origin(script) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(GET)
            head, _ = read_answer(client)
        assert head.startswith(b"HTTP/1.1 502 ")
        assert f"x-sidelight-error: {code}".encode() in head


@pytest.mark.parametrize(
    "beginning",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"],
)  # fmt: skip
def test_a_truncated_answer_never_ends_cleanly_and_is_aborted(beginning: bytes) -> None:
    def truncates(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(beginning)

    with running_origin(truncates) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
            got = read_all(client)
        assert got.startswith(b"HTTP/1.1 200 ")
        assert not got.endswith(b"0\r\n\r\n")
        assert relay.outcomes["skipped"] == {"aborted": 1}


def test_a_close_delimited_answer_to_http10_that_is_reset_shows_as_a_reset() -> None:
    def resets(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        passed.wait(PATIENCE_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    passed = threading.Event()
    with (
        running_origin(resets) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.sendall(b"GET /p HTTP/1.0\r\n\r\n")
        read_head(client)
        passed.set()
        assert read_all(client).endswith(b"RESET")


def test_an_unsolicited_answer_never_reaches_the_next_client() -> None:
    def poisons(connection: socket.socket, _number: int) -> None:
        while read_head(connection):
            connection.sendall(answer() + answer(b"poison"))

    with running_origin(poisons) as origin, running_relay(origin.port) as relay:
        for _ in range(4):
            assert b"poison" not in relay.ask(GET)
        assert origin.connections == 4


def test_a_get_is_sent_again_once_on_a_stale_connection_and_a_post_never() -> None:
    seen: list[bytes] = []

    def dies_on_reuse(connection: socket.socket, _number: int) -> None:
        seen.append(read_head(connection)[:4])
        connection.sendall(answer())
        seen.append(read_head(connection)[:4])

    bare = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    with running_origin(dies_on_reuse) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            for _ in range(2):
                client.sendall(GET)
                assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
            client.sendall(bare)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 502")
        assert seen == [b"GET ", b"GET ", b"GET ", b"POST"]


def test_an_idle_connection_that_the_upstream_closes_is_replaced_silently() -> None:
    def once(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(answer())

    bare = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    with running_origin(once) as origin, running_relay(origin.port) as relay:
        for _ in range(3):
            with relay.connect() as client:
                client.sendall(bare)
                assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
            eventually(lambda: not relay.worker.state.pool._idle)


def test_1xx_and_expect_100_continue() -> None:
    def continues(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        body = read_exactly(connection, 3)
        connection.sendall(answer(body).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    with running_origin(continues) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(POST[:-5] + b"Expect: 100-continue\r\n\r\n")
            assert read_head(client) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert read_head(client) == b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            client.sendall(b"abc")
            assert read_answer(client)[1] == b"abc"
        with relay.connect() as client:
            client.sendall(b"POST /p HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
            assert read_all(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_early_answer_reaches_a_client_that_still_uploads() -> None:
    def refuses(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(
            b"HTTP/1.1 413 Big\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig!"
        )
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)

    with (
        running_origin(refuses) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n")
        client.sendall(b"u" * 300000)
        head, body = read_answer(client)
        assert head.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in head
        assert body == b"big!"
        client.sendall(b"u" * 300000)  # is read and forgotten, not reset


def test_full_duplex_an_answer_streams_while_the_request_does() -> None:
    def echoes(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert read_exactly(connection, 15) == b"5\r\nworld\r\n0\r\n\r\n"
        connection.sendall(b"4\r\nlast\r\n0\r\n\r\n")

    with (
        running_origin(echoes) as origin,
        running_relay(origin.port) as relay,
        relay.connect() as client,
    ):
        client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        read_head(client)
        assert read_exactly(client, 10) == b"5\r\nfirst\r\n"
        client.sendall(b"5\r\nworld\r\n0\r\n\r\n")
        assert read_exactly(client, 14) == b"4\r\nlast\r\n0\r\n\r\n"
