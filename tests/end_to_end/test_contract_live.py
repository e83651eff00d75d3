"""The OpenAPI document of a running sidecar, held against it over HTTP by schemathesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.api.contract import beyond, transported
from tests.end_to_end.sidecar import Sidecar

pytestmark = pytest.mark.end_to_end

TOKEN = "canary-token"
CONFIG = f"""\
model: {{task: regression}}
control_auth: {{token: {TOKEN}}}
limits: {{labels_per_second: 1000000}}
"""
EXAMPLES = 2  # of each operation: every kind of case is generated in process, many more of them


def test_a_running_sidecar_answers_as_its_document_says(start: Callable[..., Sidecar]) -> None:
    sidecar = start(config=CONFIG)
    address = f"http://127.0.0.1:{sidecar.control}"
    document = schemathesis.openapi.from_url(f"{address}/openapi.json")
    asked: list[str] = []
    client = httpx.Client()
    for found in document.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # or the document itself is wrong

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            asked.append(case.operation.label)
            sent = transported(case, address, TOKEN)
            case.validate_response(client.request(**sent), excluded_checks=beyond(case))

        holds()
    client.close()
    assert len(set(asked)) >= 15
    assert "internal error" not in sidecar.log()
    assert sidecar.get("/livez")[0] == 200
