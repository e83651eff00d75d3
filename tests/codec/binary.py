"""SageMaker's records written byte by byte, for tests and for the fuzzer."""

from __future__ import annotations

import struct


def field(number: int, content: bytes) -> bytes:
    """A field with a length, as protobuf's wire format has it; lengths below 128."""
    return bytes([number << 3 | 2, len(content)]) + content


def record(**vectors: bytes) -> bytes:
    """A record by its vectors, each under the name of its map and key, `map_key`."""
    numbers = {"features": 1, "label": 2}
    message = b""
    for name, value in vectors.items():
        place, _, key = name.partition("_")
        message += field(numbers[place], field(1, key.encode()) + field(2, value))
    return struct.pack("<II", 0xCED7230A, len(message)) + message + bytes(-len(message) % 4)


def floats(*values: float, keys: bytes = b"", shape: bytes = b"") -> bytes:
    content = field(1, struct.pack(f"<{len(values)}f", *values))
    content += field(2, keys) if keys else b""
    content += field(3, shape) if shape else b""
    return field(2, content)


WHOLE = record(features_values=floats(1.5, 2.5)) * 2
