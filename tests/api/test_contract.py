"""The OpenAPI document against the application, by schemathesis: what it says is so."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings

from monitor.api.app import create_app
from monitor.api.ports import ControlSettings, LabelOutcome
from monitor.profile.reference import parse
from monitor.records.label import Label, Outcome
from tests.api.conftest import NOW, Client, MemoryHouse
from tests.api.contract import beyond, transported

TOKEN = "canary-token"


class OpenHouse(MemoryHouse):
    """Takes text too: what a label may be is the document's matter here. Reads a reference."""

    async def replace_reference(self, document: bytes) -> None:
        parse(document)

    def _join(self, label: Label) -> LabelOutcome:
        self.known[label.prediction_id, label.row] = label
        return LabelOutcome(Outcome.PENDING)


house = OpenHouse(
    ControlSettings(token=TOKEN, labels_per_second=1e9, labels_burst=1e9),
    document=b'{"sidelight_reference": 1}',
)
client = Client(create_app(house, clock=lambda: NOW, monotonic=lambda: 0.0))
document = schemathesis.openapi.from_dict(client.get("/openapi.json").json())


@document.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_call_answers_as_the_document_says(case: Any) -> None:
    sent = transported(case, "http://localhost:8001", TOKEN)
    house.predicted.add("abc")
    answer = client.ask(sent.pop("method"), sent.pop("url"), **sent)
    case.validate_response(answer, excluded_checks=beyond(case))
