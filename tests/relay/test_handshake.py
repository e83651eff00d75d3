"""Connections that have not agreed on TLS yet: counted like any other, and never kept for long."""

from __future__ import annotations

import socket

from tests.relay.certificates import Authority, listener, needs_openssl, tls_client
from tests.relay.harness import (
    Relay,
    answer,
    eventually,
    read_all,
    read_answer,
    read_exactly,
    read_head,
    running_origin,
    running_relay,
)

pytestmark = needs_openssl

POST = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"


def _echo(connection: socket.socket, _number: int) -> None:
    while read_head(connection):
        connection.sendall(answer(read_exactly(connection, 3)))


def _ask(relay: Relay, authority: Authority) -> None:
    with tls_client(relay, authority.client_context()) as client:
        client.sendall(POST)
        assert read_answer(client)[1] == b"abc"


def test_handshakes_count_as_connections_and_those_too_many_are_let_go(
    authority: Authority,
) -> None:
    with (
        running_origin(_echo) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), connections=4, timeouts={"header": 1.0}
        ) as relay,
    ):
        guests, counters = relay.worker.state.guests, relay.worker.state.counters
        silent = [relay.connect() for _ in range(5)]  # told apart from a client by nothing yet
        eventually(lambda: len(guests) == 5)
        with relay.connect() as late:
            assert read_all(late) in (b"", b"RESET")
        assert counters.requests[503] == counters.skipped["status"] == 1
        for one in silent:
            assert read_all(one) in (b"", b"RESET")  # after the header timeout
            one.close()
        eventually(lambda: len(guests) == 0)
        _ask(relay, authority)
        eventually(lambda: len(guests) == 0)


def test_a_client_that_leaves_in_its_handshake_leaves_nothing(authority: Authority) -> None:
    with (
        running_origin(_echo) as origin,
        running_relay(origin.port, tls=listener(authority.issue())) as relay,
    ):
        guests = relay.worker.state.guests
        for hello in (b"", b"\x16\x03\x01\x02\x00\x01"):
            leaving = relay.connect()
            leaving.sendall(hello)
            eventually(lambda: len(guests) == 1)
            leaving.close()
            eventually(lambda: len(guests) == 0)
        _ask(relay, authority)
