"""Certificates made on the spot by the `openssl` command; tests that need them skip without it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.relay.tls import ListenerTls, UpstreamTls
from tests.relay.harness import Relay, Script

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """What a server that shows this certificate uses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A certificate authority for one test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._name = name
        self._count = 0
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl(
            *("req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(self._key), "-out", str(self.ca)),
        )

    def issue(self, name: str = "localhost", common_name: str = "") -> Pair:
        """A certificate for `name` and 127.0.0.1."""
        self._count += 1
        stem = self._folder / f"{self._name}-{self._count}"
        request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        pair = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        address = ",IP:127.0.0.1" if name == "localhost" else ""
        extensions.write_text(f"subjectAltName=DNS:{name}{address}\n")
        _openssl(
            *("req", "-new", "-nodes", "-subj", f"/CN={common_name or name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(pair.key), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-days", "2", "-in", str(request), "-out", str(pair.certificate)),
            *("-CA", str(self.ca), "-CAkey", str(self._key), "-set_serial", str(self._count)),
            *("-extfile", str(extensions)),
        )
        return pair

    def client_context(self, pair: Pair | None = None) -> ssl.SSLContext:
        """What a client that trusts this authority uses; with `pair` it shows a certificate."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        return context


def in_tls(script: Script, context: ssl.SSLContext) -> Script:
    """The same script behind a TLS handshake."""

    def play(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            script(secured, number)

    return play


def listener(pair: Pair, client_ca: str = "") -> ListenerTls:
    """A relay's own side that shows this certificate."""
    return ListenerTls(str(pair.certificate), str(pair.key), client_ca)


def trusting(authority: Authority, name: str = "localhost") -> UpstreamTls:
    """A relay that believes this authority's certificates."""
    return UpstreamTls(enabled=True, ca=str(authority.ca), server_name=name)


@contextlib.contextmanager
def tls_client(relay: Relay, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """A client's connection after its handshake."""
    with (
        relay.connect() as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        yield client


def _openssl(*words: str) -> None:
    assert OPENSSL
    subprocess.run([OPENSSL, *words], check=True, capture_output=True, timeout=20)
