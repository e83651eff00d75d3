"""The signature of Standard Webhooks: who sent a message, and that nobody changed it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives to every secret


class Signer:
    """Signs messages as Standard Webhooks (v1: HMAC-SHA256 over `id.timestamp.body`).

    A secret that begins with `whsec_` is base64 after it, as that standard has it; any other is
    its own UTF-8 bytes. ValueError on a `whsec_` secret that is not base64.
    """

    def __init__(self, secret: str) -> None:
        self._key = _key(secret)

    def headers(self, message_id: str, at: float, payload: bytes) -> dict[str, str]:
        """The headers for one attempt; `at` is its time, so that a replay shows its age."""
        moment = str(int(at))
        signed = f"{message_id}.{moment}.".encode() + payload
        digest = hmac.new(self._key, signed, hashlib.sha256).digest()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


def _key(secret: str) -> bytes:
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("a webhook secret that begins with whsec_ goes on in base64")
    return key
