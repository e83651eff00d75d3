"""CloudEvents over HTTP as halves of exchanges: binary, structured and batched; bytes in, no I/O.

Source: CloudEvents 1.0.2, HTTP Protocol Binding section 3, JSON Format section 3 and 4. Types are
those of KServe's logger.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from monitor.errors import SidelightError
from monitor.events import Event, Half

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MAX_EVENTS = 1000

_TRACE = re.compile(r"[0-9a-f-]{55,128}")  # CloudEvents' extension for distributed tracing

VERSIONS = ("1.0", "0.3")
TYPES = {
    f"{prefix}.inference.{half.value}": half
    for prefix in ("org.kubeflow.serving", "io.kserve", "io.seldon.serving")
    for half in Half
}


class EventError(SidelightError):
    """A body that is no CloudEvent, or not one of an inference."""


def read(headers: Mapping[str, str], body: bytes, now: float) -> list[Event]:
    """The events of one POST; EventError where it holds none, or another kind."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in (STRUCTURED, BATCH):
        return [_structured(one, now) for one in _documents(body, batch=media_type == BATCH)]
    attributes = {
        name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    return [_event(attributes, headers.get("content-type", ""), body, now)]


def _documents(body: bytes, *, batch: bool) -> Sequence[Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise EventError(f"not JSON: {error}") from None
    if batch and not isinstance(document, list):
        raise EventError("a batch is a list of events")
    documents: list[Any] = document if batch else [document]
    if len(documents) > MAX_EVENTS:
        raise EventError(f"more than {MAX_EVENTS} events")
    if not all(isinstance(one, dict) for one in documents):
        raise EventError("an event is an object")
    return documents


def _structured(document: dict[str, Any], now: float) -> Event:
    """JSON data, text, or `data_base64`."""
    said = document.get("datacontenttype", "application/json")
    if "data_base64" in document:
        try:
            body = base64.b64decode(document["data_base64"], validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise EventError("data_base64 is not base64") from None
    elif isinstance(document.get("data"), str) and "json" not in str(said):
        body = document["data"].encode()
    else:
        body = orjson.dumps(document.get("data"))
    return _event(document, str(said), body, now)


def _event(attributes: Mapping[str, Any], content_type: str, body: bytes, now: float) -> Event:
    if attributes.get("specversion") not in VERSIONS:
        raise EventError("no CloudEvent: specversion is not 1.0")
    half = TYPES.get(str(attributes.get("type")))
    if half is None:
        raise EventError(f"type {str(attributes.get('type'))[:64]!r} is no inference's")
    said = content_type.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
    fields = b"content-type: " + said + b"\r\n" if said else b""
    trace = str(attributes.get("traceparent", ""))
    if _TRACE.fullmatch(trace):
        fields += b"traceparent: " + trace.encode() + b"\r\n"
    return Event(
        str(attributes.get("id", "")), half, _at(attributes.get("time"), now), fields, body
    )


def _at(time: object, now: float) -> float:
    """When it happened; when it came, where that is not said or lies ahead."""
    try:
        found = datetime.fromisoformat(str(time))
        at = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return now
    return min(at, now)
