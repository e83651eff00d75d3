"""The wire between a relay worker and the monitor: length-prefixed frames on a unix stream socket.

Sans-io: bytes in, frames out. Standard library only, because the relay writes it.

A frame is `u32 length` (of what follows), `u8 kind`, payload. A worker sends EXCHANGE and COUNTERS;
the monitor answers ACK: what became of the exchanges since its last ack. So the relay holds the
account of every exchange, and what a killed monitor had not acknowledged is counted as lost by
those who survive it.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from monitor.records.exchange import Exchange

EXCHANGE = 1
COUNTERS = 2
ACK = 3

MAX_FRAME_BYTES = (
    1 << 28
)  # a longer one is a broken peer, never a body: those are capped by max_body_bytes

_PREFIX = struct.Struct("!IB")
_EXCHANGE = struct.Struct("!HdddHHIIIII")
_STATUSES = {status.to_bytes(2, "big"): str(status) for status in range(1000)}


def encode_exchange(exchange: Exchange) -> bytes:
    """One EXCHANGE frame."""
    return pack_exchange(
        exchange.prediction_id.encode("latin-1"),
        exchange.method.encode("latin-1"),
        exchange.target.encode("latin-1"),
        (
            exchange.status,
            exchange.started_at,
            exchange.duration_seconds,
            exchange.first_byte_seconds,
        ),
        (exchange.request_fields, exchange.request_body),
        (exchange.response_fields, exchange.response_body),
    )


def pack_exchange(
    prediction_id: bytes,
    method: bytes,
    target: bytes,
    outcome: tuple[int, float, float, float],
    request: tuple[bytes, bytes],
    response: tuple[bytes, bytes],
) -> bytes:
    """One EXCHANGE frame from its parts.

    `outcome` is (status, started_at, duration_seconds, first_byte_seconds).
    """
    request_fields, request_body = request
    response_fields, response_body = response
    status, started_at, duration, first_byte = outcome
    head = _EXCHANGE.pack(
        status, started_at, duration, first_byte,
        len(prediction_id), len(method), len(target),
        len(request_fields), len(request_body), len(response_fields), len(response_body),
    )  # fmt: skip
    payload = b"".join(
        (
            head,
            prediction_id,
            method,
            target,
            request_fields,
            request_body,
            response_fields,
            response_body,
        )
    )
    return _PREFIX.pack(len(payload) + 1, EXCHANGE) + payload


def decode_exchange(payload: bytes) -> Exchange:
    """The Exchange in the payload of an EXCHANGE frame."""
    status, started_at, duration, first_byte, *lengths = _EXCHANGE.unpack_from(payload)
    prediction_id, method, target, request_fields, request, answer_fields, answer = lengths
    at_method = _EXCHANGE.size + prediction_id
    at_target = at_method + method
    at_request_fields = at_target + target
    at_request = at_request_fields + request_fields
    at_answer_fields = at_request + request
    at_answer = at_answer_fields + answer_fields
    return Exchange(
        payload[_EXCHANGE.size : at_method].decode("latin-1"),
        payload[at_method:at_target].decode("latin-1"),
        payload[at_target:at_request_fields].decode("latin-1"),
        status,
        started_at,
        duration,
        payload[at_request_fields:at_request],
        payload[at_request:at_answer_fields],
        payload[at_answer_fields:at_answer],
        payload[at_answer : at_answer + answer],
        first_byte,
    )


def status_of(payload: bytes) -> str:
    """The answer's status in the payload of an EXCHANGE frame.

    >>> status_of(b"\\x00\\xc8")
    '200'
    """
    return _STATUSES.get(payload[:2], "0")


def encode_json(kind: int, message: dict[str, Any]) -> bytes:
    """One COUNTERS or ACK frame."""
    payload = json.dumps(message, separators=(",", ":")).encode()
    return _PREFIX.pack(len(payload) + 1, kind) + payload


def decode_json(payload: bytes) -> dict[str, Any]:
    """The message in the payload of a COUNTERS or ACK frame."""
    message: dict[str, Any] = json.loads(payload)
    return message


class FrameReader:
    """Cuts a byte stream into frames; feed it pieces of any size.

    >>> reader = FrameReader()
    >>> frame = encode_json(ACK, {"observed": 2})
    >>> reader.feed(frame[:3]), reader.feed(frame[3:])
    ([], [(3, b'{"observed":2}')])
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that `data` completes: (kind, payload); ValueError on a bad length."""
        buffer = self._buffer
        buffer += data
        frames: list[tuple[int, bytes]] = []
        at = 0
        while len(buffer) - at >= _PREFIX.size:
            length, kind = _PREFIX.unpack_from(buffer, at)
            if not 1 <= length <= MAX_FRAME_BYTES:
                raise ValueError(f"frame of {length} bytes")
            end = at + 4 + length
            if end > len(buffer):
                break
            frames.append((kind, bytes(memoryview(buffer)[at + _PREFIX.size : end])))
            at = end
        if at:
            del buffer[:at]
        return frames
