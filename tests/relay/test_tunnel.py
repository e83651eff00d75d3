"""What passes untouched in both directions: WebSockets after 101, HTTP/2 from its preface on."""

from __future__ import annotations

import socket

from tests.relay.harness import (
    eventually,
    read_all,
    read_exactly,
    read_head,
    running_origin,
    running_relay,
)


def test_websocket_tunnels_both_ways() -> None:
    def shouts(connection: socket.socket, _number: int) -> None:
        assert b"upgrade: websocket" in read_head(connection)
        connection.sendall(
            b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nHELLO"
        )
        while data := connection.recv(100):
            connection.sendall(data.upper())

    with running_origin(shouts) as origin, running_relay(origin.port) as relay:
        with relay.connect() as client:
            client.sendall(
                b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
            assert b"connection: Upgrade" in read_head(client)
            assert read_exactly(client, 5) == b"HELLO"
            client.sendall(b"ping")
            assert read_exactly(client, 4) == b"PING"
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
        assert relay.outcomes["skipped"] == {"upgrade": 1}
        eventually(lambda: not relay.worker.state.guests)


def test_http2_passes_untouched_from_its_preface_on() -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

    def mirrors(connection: socket.socket, _number: int) -> None:
        while data := connection.recv(100):
            connection.sendall(data)

    with running_origin(mirrors) as origin, running_relay(origin.port) as relay:
        for pieces in ([preface], [preface[i : i + 1] for i in range(len(preface))]):
            with relay.connect() as client:
                for piece in pieces:
                    client.sendall(piece)
                assert read_exactly(client, len(preface)) == preface
        assert relay.requests == {}


def test_an_http2_server_may_speak_first() -> None:
    """As gRPC's does: its settings are on the way before the client's preface has come."""
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings

    def speaks_first(connection: socket.socket, _number: int) -> None:
        connection.sendall(settings)
        assert read_exactly(connection, len(preface)) == preface
        connection.sendall(b"heard")

    with running_origin(speaks_first) as origin, running_relay(origin.port) as relay:
        for _ in range(50):
            with relay.connect() as client:
                client.sendall(preface)
                assert read_exactly(client, len(settings) + 5) == settings + b"heard"
