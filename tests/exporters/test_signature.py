"""The signature of Standard Webhooks, against its published example and its own library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from exporters.signature import Signer


def test_the_signature_is_the_standards_own_example() -> None:
    """The vector of the reference implementations (standard-webhooks, libraries/python tests)."""
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_plain_secret_is_its_own_bytes() -> None:
    expected = hmac.digest("pässword".encode(), b"id.5.body", hashlib.sha256)
    made = Signer("pässword").headers("id", 5.0, b"body")["webhook-signature"]
    assert made == "v1," + base64.b64encode(expected).decode()


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_abc"])
def test_a_malformed_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="base64") as raised:
        Signer(secret)
    assert secret == "whsec_" or secret not in str(raised.value)


def test_the_standards_own_library_believes_it_and_nothing_changed() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"é": 1}'.encode()
    headers = Signer(secret).headers("msg_1", time.time(), body)
    assert Webhook(secret).verify(body, headers) == {"é": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
