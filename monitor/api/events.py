"""`POST /events`: logged requests and answers, as CloudEvents, to be observed like traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from monitor.api import bodies, schemas
from monitor.api.cloud_events import (
    BATCH,
    MAX_EVENTS,
    STRUCTURED,
    TYPES,
    VERSIONS,
    EventError,
    read,
)
from monitor.api.guard import Authorize
from monitor.api.ports import House
from monitor.api.rates import Room
from monitor.api.views import dump

_EVENT = {
    "type": "object",
    "required": ["specversion", "type"],
    "properties": {
        "specversion": {"enum": list(VERSIONS)},
        "type": {"enum": sorted(TYPES)},
        "data_base64": {"type": "string", "format": "byte"},
    },
}
_REQUEST_BODY = {
    "required": True,
    "content": {
        STRUCTURED: {"schema": _EVENT},
        BATCH: {"schema": {"type": "array", "items": _EVENT, "maxItems": MAX_EVENTS}},
    },
}
_FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.Fault} for code in (400, 401, 408, 413, 415, 421, 422, 503)
}

BODIES_AT_ONCE = 4  # of the largest size; many more of the usual ones


def router(house: House, authorize: Authorize, clock: Callable[[], float]) -> APIRouter:
    """The route, with its place in the OpenAPI document."""
    limit_bytes = house.control.event_bytes
    room = Room(BODIES_AT_ONCE * limit_bytes)
    routes = APIRouter(tags=["events"])

    @routes.post(
        "/events",
        status_code=202,
        response_model=dict[str, int],
        responses=_FAULTS,
        openapi_extra={"requestBody": _REQUEST_BODY},
        dependencies=[Depends(authorize)],
    )
    async def post_events(request: Request) -> Response:
        """Post what KServe's logger sends: a request's or an answer's CloudEvent, paired by id.

        Binary mode (`ce-` headers), `application/cloudevents+json` and
        `application/cloudevents-batch+json`. 202 tells how many were `paired` or are `waiting` for
        their other half.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(415, "content-encoding is not accepted here")
        now = clock()
        async with bodies.held(request, limit_bytes, room) as body:
            try:
                events = await run_in_threadpool(read, dict(request.headers), body, now)
            except EventError as error:
                raise HTTPException(422, str(error)) from None
        outcomes = Counter(house.observe_event(event, now) for event in events)
        return Response(dump(dict(outcomes)), 202, media_type="application/json")

    return routes
