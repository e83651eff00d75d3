"""Alerts in Alertmanager's webhook format, version 4, and the Standard Webhooks signature over it.

Pure functions: alert in, JSON out. Knows nothing of sockets, retries, or of where the alerts come
from.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.snapshot import Alert, AlertState

Notice = dict[str, Any]  # one alert as it stands in the body: JSON through and through

RECEIVER = "sidelight"
GROUP_LABEL = "model"
FIRING = "firing"
RESOLVED = "resolved"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives to every secret
_NO_TIME = "0001-01-01T00:00:00Z"  # Go's zero time: Alertmanager's word for "has not ended"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def notice(alert: Alert, external_url: str) -> Notice:
    """One firing or resolved alert as a member of a body's `alerts`."""
    resolved = alert.state is AlertState.RESOLVED
    return {
        "status": RESOLVED if resolved else FIRING,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": timestamp(alert.fired_at if alert.fired_at is not None else alert.active_since),
        "endsAt": timestamp(alert.resolved_at) if resolved else _NO_TIME,
        "generatorURL": external_url,
        "fingerprint": fingerprint(alert.labels),
    }


def body(notices: Sequence[Notice], external_url: str) -> dict[str, Any]:
    """The message that tells `notices`, all of one model.

    It fires if any of them does. The field order is Alertmanager's own.
    """
    labels = [each["labels"] for each in notices]
    group = {GROUP_LABEL: labels[0].get(GROUP_LABEL, "")}
    fires = any(each["status"] == FIRING for each in notices)
    return {
        "receiver": RECEIVER,
        "status": FIRING if fires else RESOLVED,
        "alerts": list(notices),
        "groupLabels": group,
        "commonLabels": _common(labels),
        "commonAnnotations": _common([each["annotations"] for each in notices]),
        "externalURL": external_url,
        "version": "4",
        "groupKey": f'{{}}:{{{GROUP_LABEL}="{group[GROUP_LABEL]}"}}',
        "truncatedAlerts": 0,
    }


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = mappings
    shared = first.items()
    return {k: v for k, v in shared if all(other.get(k) == v for other in others)}


def fingerprint(labels: Mapping[str, str]) -> str:
    """Prometheus' fingerprint of a label set: FNV-1a, 64 bits, in the order of the names.

    Source: prometheus/common, model/signature.go (labelSetToFingerprint).

    >>> fingerprint({})
    'cbf29ce484222325'
    """
    digest = 0xCBF29CE484222325
    for byte in _bytes_of(labels):
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def _bytes_of(labels: Mapping[str, str]) -> Iterable[int]:
    for name in sorted(labels):
        yield from name.encode("utf-8", "replace")
        yield 0xFF
        yield from labels[name].encode("utf-8", "replace")
        yield 0xFF


def timestamp(seconds: float | None) -> str:
    """Unix seconds in RFC 3339; a time that no calendar has becomes Go's zero time.

    >>> timestamp(1_700_000_000.25)
    '2023-11-14T22:13:20.250000Z'
    """
    if seconds is None or not 0 <= seconds <= (_LATEST - _EPOCH).total_seconds():
        return _NO_TIME
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


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
