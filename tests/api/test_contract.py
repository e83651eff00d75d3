"""The OpenAPI document against the application, by schemathesis: what it says is so."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from monitor.api.app import create_app
from monitor.api.ports import ControlSettings, LabelOutcome
from monitor.records.label import Label, Outcome
from tests.api.conftest import NOW, Client, MemoryHouse

TOKEN = "canary-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}


class OpenHouse(MemoryHouse):
    """Takes text too: what a label may be is the document's matter here."""

    def _join(self, label: Label) -> LabelOutcome:
        self.known[label.prediction_id, label.row] = label
        return LabelOutcome(Outcome.PENDING)


house = OpenHouse(
    ControlSettings(token=TOKEN, labels_per_second=1e9, labels_burst=1e9),
    document=b'{"sidelight_reference": 1}',
)
client = Client(create_app(house, clock=lambda: NOW, monotonic=lambda: 0.0))
document = schemathesis.openapi.from_dict(client.get("/openapi.json").json())


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """A body of lines is text already."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


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
    asked: dict[str, Any] = case.as_transport_kwargs(
        base_url="http://localhost:8001", headers=BEARER
    )
    if "json" in asked:
        asked["content"] = json.dumps(asked.pop("json")).encode()
    if "data" in asked:
        asked["content"] = asked.pop("data")
    house.predicted.add("abc")
    sent = {key: asked[key] for key in ("content", "params", "headers") if asked.get(key)}
    answer = client.ask(asked["method"], asked["url"], **sent)
    case.validate_response(answer, excluded_checks=_beyond(case))


def _beyond(case: Any) -> list[Any]:
    """Checks that cannot know.

    This test always sends the right token (others send wrong ones). A reference must agree with its
    own digest and edges, and lines of text must be items, which no schema can say. Of many labels
    the good ones are taken though others are not, and a query that is not known is not looked at.
    """
    excluded: list[Any] = [checks.ignored_auth]
    dated = "observed_at" in json.dumps(case.body, default=str)  # it must not lie in the future
    unsaid = case.operation.path == "/api/v1/reference" or case.media_type == "application/x-ndjson"
    if dated or unsaid:
        excluded.append(checks.positive_data_acceptance)
    if case.method == "DELETE" or (isinstance(case.body, list) and len(case.body) > 1):
        excluded.append(checks.negative_data_rejection)
    return excluded
