"""The ids of streamed inference messages, found without reading the rest of them.

Protocol buffers' wire format, top level only: numbered fields, of which those with a length are
skipped whole. Field numbers are those of the Open Inference Protocol's gRPC service.
"""

from __future__ import annotations

HEAD_BYTES = 5  # compressed or not, and the length: gRPC over HTTP/2, "Length-Prefixed-Message"
INFER = b"/inference.GRPCInferenceService/ModelInfer"
STREAMED = b"/inference.GRPCInferenceService/ModelStreamInfer"
_ID = 3  # in ModelInferRequest and ModelInferResponse
_INFER_RESPONSE = 2  # in ModelStreamInferResponse
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10


def request_id(message: bytes) -> bytes:
    """The id of a framed ModelInferRequest; b"" where it has none, or cannot be read.

    >>> request_id(b"\\0\\0\\0\\0\\x05\\x1a\\x03abc")
    b'abc'
    """
    return b"" if message[:1] != b"\0" else bytes(_field(memoryview(message)[HEAD_BYTES:], _ID))


def answer_id(message: bytes) -> bytes:
    """The id of the answer in a framed ModelStreamInferResponse; b"" where it has none."""
    if message[:1] != b"\0":
        return b""
    answer = _field(memoryview(message)[HEAD_BYTES:], _INFER_RESPONSE)
    return bytes(_field(answer, _ID))


def _field(message: memoryview, wanted: int) -> memoryview:
    """The first field of that number that has a length; an empty view where there is none."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _LENGTH:
            length, at = _varint(message, at)
            if number == wanted:
                return message[at : at + length]
            at += length
        elif kind == _VARINT:
            _, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            break
    return message[:0]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and where what follows it begins; beyond the end of a message that is cut short."""
    number = 0
    for shift in range(_MOST_VARINT_BYTES):
        if at + shift >= len(message):
            break
        byte = message[at + shift]
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return number, at + shift + 1
    return 0, len(message)
