"""TLS on both sides with real handshakes: who is believed, who is refused, what must not change."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import time
from pathlib import Path

import pytest

from monitor.relay.tls import UpstreamTls
from tests.relay.certificates import (
    Authority,
    Pair,
    in_tls,
    listener,
    needs_openssl,
    tls_client,
    trusting,
)  # fmt: skip
from tests.relay.harness import (
    PATIENCE_SECONDS,
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
    while head := read_head(connection):
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        connection.sendall(answer(read_exactly(connection, length)))


def _plain(connection: socket.socket, _number: int) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _ask(relay: Relay, context: ssl.SSLContext) -> None:
    """In TLS 1.3 a client that is refused learns of it when it reads."""
    with tls_client(relay, context) as client:
        client.sendall(POST)
        head, body = read_answer(client)
        if not head:
            raise ConnectionError("closed without an answer")
        assert body == b"abc"


def test_from_a_tls_client_to_a_tls_upstream(authority: Authority) -> None:
    body = bytes(range(256)) * 8192
    head = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
    pair = authority.issue()
    with (
        running_origin(in_tls(_echo, pair.server_context())) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), upstream_tls=trusting(authority)
        ) as relay,
    ):
        context = authority.client_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with tls_client(relay, context) as client:
            assert client.selected_alpn_protocol() == "http/1.1"
            for _ in range(3):
                client.sendall(POST)
                assert read_answer(client)[1] == b"abc"
            client.sendall(head + body)  # the upstream reads all of it before it answers
            assert read_answer(client)[1] == body
        assert origin.connections == 1
        assert relay.requests == {"200": 4}


@pytest.mark.parametrize("fault", ["authority", "name", "plain"])
def test_an_upstream_that_is_not_whom_it_should_be_is_a_502(
    authority: Authority, tmp_path: Path, fault: str
) -> None:
    script = _plain if fault == "plain" else in_tls(_echo, authority.issue().server_context())
    believed = Authority(tmp_path, "other") if fault == "authority" else authority
    tls = trusting(believed, "model.example" if fault == "name" else "localhost")
    with running_origin(script) as origin, running_relay(origin.port, upstream_tls=tls) as relay:
        with relay.connect() as client:
            for _ in range(2):  # the client's connection goes on
                client.sendall(POST)
                head, body = read_answer(client)
                assert head.startswith(b"HTTP/1.1 502 ")
                assert b"\r\nx-sidelight-error: upstream_tls\r\n" in head
                assert "TLS" in json.loads(body)["error"] or "trusted" in json.loads(body)["error"]
        assert relay.outcomes["skipped"] == {"status": 2}
        assert origin.heads == []


def test_without_verification_any_upstream_will_do(tmp_path: Path) -> None:
    context = Authority(tmp_path).issue("elsewhere.example").server_context()
    tls = UpstreamTls(enabled=True, verify=False)
    with (
        running_origin(in_tls(_echo, context)) as origin,
        running_relay(origin.port, upstream_tls=tls) as relay,
        relay.connect() as client,
    ):
        client.sendall(POST)
        assert read_answer(client)[1] == b"abc"


def test_a_client_must_show_a_certificate_where_one_is_asked_for(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger").issue("client")
    tls = listener(authority.issue(), str(authority.ca))
    with running_origin(_echo) as origin, running_relay(origin.port, tls=tls) as relay:
        _ask(relay, authority.client_context(authority.issue("client")))
        for shown in (None, stranger):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                _ask(relay, authority.client_context(shown))
        assert relay.requests == {"200": 1}


def test_who_speaks_no_tls_is_closed_and_harms_nobody(authority: Authority) -> None:
    with (
        running_origin(_echo) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), timeouts={"header": 0.3}
        ) as relay,
    ):
        with relay.connect() as plain, relay.connect() as silent:
            plain.sendall(POST)
            assert not read_all(plain).startswith(b"HTTP")
            began = time.monotonic()
            assert read_all(silent) in (b"", b"RESET")
            assert time.monotonic() - began < 2.0
        _ask(relay, authority.client_context())


@pytest.mark.parametrize("notified", [True, False])
def test_an_answer_that_ends_with_the_connection_needs_the_end_of_tls(
    authority: Authority, *, notified: bool
) -> None:
    """Without a close_notify anybody on the way could have cut it (RFC 9112 section 9.8)."""

    def ends(connection: socket.socket, _number: int) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nwhole?")
        if notified:
            connection.unwrap()
        else:
            socket.socket(fileno=connection.detach()).close()

    context = authority.issue().server_context()
    with (
        running_origin(in_tls(ends, context)) as origin,
        running_relay(origin.port, upstream_tls=trusting(authority)) as relay,
        relay.connect() as client,
    ):
        client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        whole = read_all(client)
        assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
        assert whole.endswith(b"6\r\nwhole?\r\n" + (b"0\r\n\r\n" if notified else b""))


@pytest.mark.parametrize("size", [4_800_000, 5_000_000])  # the last of it waits in the relay
def test_a_slow_reader_gets_all_of_an_answer_whose_upstream_just_closes(
    authority: Authority, size: int
) -> None:
    def closes(connection: socket.socket, _number: int) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        read_head(connection)
        connection.sendall(answer(bytes(size)))
        socket.socket(fileno=connection.detach()).close()  # no goodbye, as many servers do

    context = authority.issue().server_context()
    with (
        running_origin(in_tls(closes, context)) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), upstream_tls=trusting(authority)
        ) as relay,
        socket.socket() as plain,
    ):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(PATIENCE_SECONDS)
        plain.connect(relay.address)
        secured = authority.client_context().wrap_socket(plain, server_hostname="localhost")
        with secured as client:
            client.sendall(b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
            time.sleep(0.4)  # until everything on the way is full
            assert len(read_answer(client)[1]) == size


def test_a_websocket_tunnels_from_tls_to_tls(authority: Authority) -> None:
    def shouts(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while data := connection.recv(100):
            connection.sendall(data.upper())
        origin.events.append("ended")

    context = authority.issue().server_context()
    with (
        running_origin(in_tls(shouts, context)) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), upstream_tls=trusting(authority)
        ) as relay,
    ):
        with tls_client(relay, authority.client_context()) as client:
            client.sendall(
                b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
            assert b"connection: Upgrade" in read_head(client)
            client.sendall(b"ping")
            assert read_exactly(client, 4) == b"PING"
        eventually(lambda: origin.events == ["ended"])
        eventually(lambda: not relay.worker.state.guests)


def test_a_client_that_leaves_frees_the_model(authority: Authority) -> None:
    def hangs(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        origin.events.append("working")
        with contextlib.suppress(OSError):
            connection.recv(1)
        origin.events.append("freed")

    context = authority.issue().server_context()
    with (
        running_origin(in_tls(hangs, context)) as origin,
        running_relay(
            origin.port, tls=listener(authority.issue()), upstream_tls=trusting(authority)
        ) as relay,
    ):
        with tls_client(relay, authority.client_context()) as client:
            client.sendall(b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n")
            eventually(lambda: "working" in origin.events)
        left = time.monotonic()
        eventually(lambda: "freed" in origin.events)
        assert time.monotonic() - left < 1.0
        assert relay.requests == {"499": 1}


def test_renewal_serves_the_new_certificate_and_keeps_the_old_one_on_a_fault(
    authority: Authority, tmp_path: Path
) -> None:
    first, second = authority.issue(), authority.issue()
    shown = Pair(tmp_path / "shown.pem", tmp_path / "shown.key")

    def show(certificate: Path, key: Path) -> None:
        shutil.copy(certificate, shown.certificate)
        shutil.copy(key, shown.key)
        relay.renew()

    def serial() -> str:
        with tls_client(relay, authority.client_context()) as client:
            client.sendall(POST)
            assert read_answer(client)[1] == b"abc"
            certificate = client.getpeercert()
            assert certificate
            return str(certificate["serialNumber"])

    shutil.copy(first.certificate, shown.certificate)
    shutil.copy(first.key, shown.key)
    with (
        running_origin(_echo) as origin,
        running_relay(origin.port, tls=listener(shown)) as relay,
        tls_client(relay, authority.client_context()) as staying,
    ):
        before = serial()
        show(first.certificate, second.key)
        assert serial() == before
        assert relay.worker.describe()["certificate_failures"] == 1
        assert "is not the key of" in relay.worker.describe()["certificate_fault"]
        show(second.certificate, second.key)
        eventually(lambda: serial() != before)
        assert relay.worker.describe()["certificate_fault"] == ""
        staying.sendall(POST)
        assert read_answer(staying)[1] == b"abc"
