"""The alert receiver believes what is signed, once, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from monitor.demo.receiver import AlertReceiver, is_signed, read_alerts

# The example of the Standard Webhooks specification.
SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SPEC_BODY = b'{"test": 2432232314}'
SPEC_TIME = 1614265330.0

SECRET = "whsec_" + base64.b64encode(b"a key of the test").decode()


def sign(message_id: str, at: int, body: bytes) -> dict[str, str]:
    content = b"%s.%d.%s" % (message_id.encode(), at, body)
    digest = hmac.new(b"a key of the test", content, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1,AAAA v1," + base64.b64encode(digest).decode(),
    }


def message(*statuses: str, version: str = "4") -> bytes:
    alerts = [
        {
            "status": status,
            "labels": {"alertname": "SidelightFeatureDrift", "column": "wind_speed"},
            "annotations": {"summary": "it moved"},
        }
        for status in statuses
    ]
    return json.dumps({"version": version, "alerts": alerts}).encode()


def test_the_specifications_example_is_signed() -> None:
    assert is_signed(SPEC_SECRET, SPEC_HEADERS, SPEC_BODY, SPEC_TIME)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (SPEC_HEADERS, SPEC_BODY + b" ", SPEC_TIME),
        (SPEC_HEADERS, SPEC_BODY, SPEC_TIME + 301),
        (SPEC_HEADERS, SPEC_BODY, SPEC_TIME - 301),
        (SPEC_HEADERS | {"webhook-id": "msg_other"}, SPEC_BODY, SPEC_TIME),
        (SPEC_HEADERS | {"webhook-timestamp": "soon"}, SPEC_BODY, SPEC_TIME),
        (SPEC_HEADERS | {"webhook-signature": "v1,é"}, SPEC_BODY, SPEC_TIME),
        ({}, SPEC_BODY, SPEC_TIME),
    ],
)
def test_anything_else_is_not(headers: dict[str, str], body: bytes, now: float) -> None:
    assert not is_signed(SPEC_SECRET, headers, body, now)


def test_a_secret_that_is_not_base64_signs_nothing() -> None:
    assert not is_signed("whsec_é", SPEC_HEADERS, SPEC_BODY, SPEC_TIME)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"version": "4"}',
        b'{"version": "4", "alerts": [{}]}',
        message(version="3"),
    ],
)
def test_another_format_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_alerts(body, 0.0)


def test_over_http_what_is_signed_is_kept_once() -> None:
    with AlertReceiver(SECRET) as receiver, httpx.Client() as client:
        now = int(time.time())
        body = message("firing", "resolved")
        answers = [
            client.post(receiver.url, content=body, headers=sign("one", now, body)),
            client.post(receiver.url, content=body, headers=sign("one", now, body)),
            client.post(receiver.url, content=body),
            client.post(receiver.url, content=b"{}", headers=sign("two", now, b"{}")),
        ]
        assert [answer.status_code for answer in answers] == [204, 204, 401, 400]
        assert [one.status for one in receiver.deliveries] == ["firing", "resolved"]
        assert receiver.deliveries[0].column == "wind_speed"
        assert receiver.refused == 2


@pytest.mark.parametrize(
    "framing", [b"Transfer-Encoding: chunked", b"Content-Length: 1048577", b"Content-Length: -1"]
)
def test_a_body_of_unknown_or_great_length_is_refused(framing: bytes) -> None:
    with AlertReceiver(SECRET) as receiver:
        address = urlsplit(receiver.url)
        with socket.create_connection((str(address.hostname), address.port or 0), 5) as client:
            client.sendall(b"POST /alerts HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
            assert client.makefile("rb").readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
        assert receiver.refused == 1
