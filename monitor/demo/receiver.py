"""The demo's receiver of alerts: an HTTP server that believes only what is signed, and keeps it.

Reads Alertmanager's webhook format and the headers of Standard Webhooks, as a stranger would.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MAX_BODY_BYTES = 1 << 20
TOLERANCE_SECONDS = 300.0  # how old a signed message may be
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix, not a secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert of one accepted message."""

    received_at: float  # Unix seconds
    name: str
    column: str  # "" where the alert is of no column
    status: str  # firing | resolved
    summary: str


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a signature is ours, over an id and a time that is near (Standard Webhooks 1)."""
    message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not at.isdigit() or abs(now - int(at)) > TOLERANCE_SECONDS:
        return False
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:  # also binascii.Error, which is one
        return False
    signed = f"{message_id}.{at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    offered = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in offered)


def read_alerts(body: bytes, now: float) -> list[Delivery]:
    """The alerts of a message in Alertmanager's format, version 4; ValueError on anything else."""
    message = json.loads(body)
    try:
        if message["version"] != "4":
            raise ValueError(f"version {message['version']!r}")
        return [_delivery(alert, now) for alert in message["alerts"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not Alertmanager's format: {error!r}") from None


def _delivery(alert: Mapping[str, Any], now: float) -> Delivery:
    labels, annotations = alert["labels"], alert.get("annotations", {})
    return Delivery(
        received_at=now,
        name=labels["alertname"],
        column=labels.get("column", ""),
        status=alert["status"],
        summary=annotations.get("summary", ""),
    )


class AlertReceiver:
    """Listens on a loopback port for the length of a `with` block."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._lock = threading.Lock()
        self._deliveries: list[Delivery] = []
        self._seen: set[str] = set()
        self._refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where alerts are to be sent."""
        return f"http://127.0.0.1:{self._server.server_port}/alerts"

    @property
    def deliveries(self) -> list[Delivery]:
        """What was accepted so far, in order."""
        with self._lock:
            return list(self._deliveries)

    @property
    def refused(self) -> int:
        """Messages without a right signature, or in another format."""
        with self._lock:
            return self._refused

    def accept(self, headers: Mapping[str, str], body: bytes, now: float) -> int:
        """The HTTP status for a message; a repeated `webhook-id` is acknowledged, kept once."""
        if not is_signed(self._secret, headers, body, now):
            return self.refuse(401)
        try:
            alerts = read_alerts(body, now)
        except ValueError:
            return self.refuse(400)
        with self._lock:
            if headers["webhook-id"] not in self._seen:
                self._seen.add(headers["webhook-id"])
                self._deliveries.extend(alerts)
        return 204

    def refuse(self, status: int) -> int:
        """Count a message that is not believed; its HTTP status."""
        with self._lock:
            self._refused += 1
        return status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10.0

            def do_POST(self) -> None:
                length = self.headers.get("content-length", "")
                if not length.isdigit() or int(length) > MAX_BODY_BYTES:
                    self.close_connection = True
                    self._answer(receiver.refuse(413))
                    return
                body = self.rfile.read(int(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._answer(receiver.accept(headers, body, time.time()))

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if status != 204:
                    self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Say nothing: the demo's own output is on this terminal."""

        return Handler
