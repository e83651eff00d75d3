"""Clients that leave in the middle: the model is freed, and nothing half is taken for whole."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from tests.relay.harness import eventually, read_all, read_head, running_origin, running_relay

pytestmark = pytest.mark.end_to_end  # real sockets on loopback

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("way", ["reset", "close"])
def test_a_client_that_leaves_while_the_model_works_frees_the_model(way: str) -> None:
    def hangs(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        origin.events.append("working")
        assert connection.recv(1) == b""
        origin.events.append("freed")

    with running_origin(hangs) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(GET)
            eventually(lambda: "working" in origin.events)
            if way == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        left = time.monotonic()
        eventually(lambda: "freed" in origin.events)
        assert time.monotonic() - left < 1.0
        assert relay.requests == {"499": 1}
        assert relay.outcomes["skipped"] == {"method": 1}


@pytest.mark.parametrize(
    "beginning",
    [b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
)
def test_a_client_that_stops_mid_body_never_completes_a_request(beginning: bytes) -> None:
    def reads(connection: socket.socket, _number: int) -> None:
        origin.heads.append(read_all(connection))

    with running_origin(reads) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\n" + beginning)
            client.shutdown(socket.SHUT_WR)
            eventually(lambda: len(origin.heads) == 1)
        assert b"abc" in origin.heads[0]
        assert not origin.heads[0].endswith(b"0\r\n\r\n")
        assert relay.outcomes["skipped"] == {"aborted": 1}
