"""TLS for both sides of the relay: contexts made from files, every fault named by its setting.

Offers HTTP/1.1 by ALPN, and HTTP/2 only where told to: a client that speaks both picks HTTP/2,
which is tunnelled, and the upstream may not know it. Knows nothing of connections.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import ConfigError

_HTTP1, _HTTP2 = "http/1.1", "h2"  # as ALPN names them


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """What clients are shown, and what they must show."""

    certificate: str = ""  # PEM file, leaf first; empty: clients speak plain HTTP
    key: str = ""
    client_ca: str = ""  # PEM file; a client without a certificate of one of these is refused
    http2: bool = False  # the upstream speaks HTTP/2, so clients may

    def context(self) -> ssl.SSLContext | None:
        """A fresh context from the files as they are now; ConfigError names the one at fault."""
        if not self.certificate:
            return None
        _read("tls.certificate", self.certificate)
        _read("tls.key", self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([_HTTP2, _HTTP1] if self.http2 else [_HTTP1])
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError([_pair_fault(self.certificate, self.key, error)]) from None
        if self.client_ca:
            _trust(context, "tls.client_ca", self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """Whom the relay believes to be the model server."""

    enabled: bool = False
    ca: str = ""  # PEM file; empty: the system's own
    server_name: str = ""  # what its certificate must name; empty: the upstream's host
    verify: bool = True

    def context(self, *, http2: bool = False) -> ssl.SSLContext | None:
        """A fresh context from the files as they are now; ConfigError names the one at fault.

        For HTTP/1.1, or for a tunnel of HTTP/2: gRPC servers refuse whoever does not ask for it.
        """
        if not self.enabled:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([_HTTP2 if http2 else _HTTP1])
        if self.ca:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned leaf is enough
            _trust(context, "upstream_tls.ca", self.ca)
        elif self.verify:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Certificates:
    """Both contexts, replaced together or not at all."""

    def __init__(self, listener: ListenerTls, upstream: UpstreamTls) -> None:
        self._settings = listener, upstream
        self.listener = listener.context()
        self.upstream = upstream.context()
        self.upstream_http2 = upstream.context(http2=True)
        self._failures = 0
        self._fault = ""

    def renew(self) -> bool:
        """Reads the files again; False, and counted, when one of them is at fault."""
        try:
            listener, upstream = (settings.context() for settings in self._settings)
            upstream_http2 = self._settings[1].context(http2=True)
        except ConfigError as error:
            self.failed(str(error))
            return False
        self.listener, self.upstream, self._fault = listener, upstream, ""
        self.upstream_http2 = upstream_http2
        return True

    def failed(self, fault: str) -> None:
        """The earlier contexts stay in use."""
        self._failures += 1
        self._fault = fault

    def as_dict(self) -> dict[str, object]:
        """Their part of the worker's accounts."""
        return {"certificate_failures": self._failures, "certificate_fault": self._fault}


def _no_password() -> str:
    """Without this, OpenSSL would ask the terminal for the password of an encrypted key."""
    raise ValueError("the key is encrypted, and nobody is there to be asked for its password")


def _read(key: str, path: str) -> str:
    try:
        return Path(path).read_text("ascii", errors="ignore")  # names in comments may be anything
    except OSError as error:
        raise ConfigError([(key, f"cannot read {path}: {error.strerror}")]) from None


def _trust(context: ssl.SSLContext, key: str, path: str) -> None:
    text = _read(key, path)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ConfigError([(key, f"{path} is no list of certificates in PEM form")]) from None


def _pair_fault(certificate: str, key: str, error: Exception) -> tuple[str, str]:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "tls.key", f"{key} is not the key of {certificate}"
    if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
        return "tls.key", f"{key}: {error}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certificate)
    except ssl.SSLError:
        return "tls.certificate", f"{certificate} holds no certificate in PEM form"
    return "tls.key", f"{key} holds no private key in PEM form ({reason or error})"
