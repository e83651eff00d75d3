"""An exchange from its telling parts, for every test of the codec."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]


@pytest.fixture(scope="session")
def exchange() -> Make:
    def make(
        request: object,
        answer: object,
        path: str = "/predict",
        content_type: str | None = "application/json",
        request_fields: bytes = b"",
        response_fields: bytes = b"",
    ) -> Exchange:
        said = b"" if content_type is None else b"Content-Type: " + content_type.encode() + b"\r\n"
        return Exchange(
            prediction_id="abc",
            method="POST",
            target=path,
            status=200,
            started_at=1767225600.0,
            duration_seconds=0.01,
            request_fields=b"Host: model\r\n" + said + request_fields,
            request_body=_bytes(request),
            response_fields=b"Server: model\r\n" + response_fields,
            response_body=_bytes(answer),
        )

    return make


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()
