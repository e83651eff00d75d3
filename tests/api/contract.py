"""What schemathesis needs to know of the control API, in process and over HTTP."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from schemathesis.specs.openapi import checks


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """A body of lines is text already."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def transported(case: Any, address: str, token: str) -> dict[str, Any]:
    """A case as httpx sends it, with the right token."""
    asked: dict[str, Any] = case.as_transport_kwargs(
        base_url=address, headers={"authorization": f"Bearer {token}"}
    )
    if "json" in asked:
        asked["content"] = json.dumps(asked.pop("json")).encode()
    if "data" in asked:
        asked["content"] = asked.pop("data")
    kept = ("method", "url", "content", "params", "headers")
    return {key: asked[key] for key in kept if asked.get(key)}


def beyond(case: Any) -> list[Any]:
    """Checks that cannot know.

    Everything is sent with the right token (other tests send wrong ones). A reference must agree
    with its own digest and edges, and lines of text must be items, which no schema can say. Of many
    labels the good ones are taken though others are not, and a query that is not known is not
    looked at.
    """
    excluded: list[Any] = [checks.ignored_auth]
    dated = "observed_at" in json.dumps(case.body, default=str)  # it must not lie in the future
    unsaid = case.operation.path == "/api/v1/reference" or case.media_type == "application/x-ndjson"
    if dated or unsaid:
        excluded.append(checks.positive_data_acceptance)
    if case.method == "DELETE" or (isinstance(case.body, list) and len(case.body) > 1):
        excluded.append(checks.negative_data_rejection)
    return excluded
