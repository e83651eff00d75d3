"""`POST /feedback`: labels in, one outcome each out; nothing is acknowledged that is not kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from monitor.api import bodies, label_shapes, schemas
from monitor.api.guard import UNNAMED, Authorize
from monitor.api.labels import (
    PREDICTION_ID,
    Arrival,
    BodyError,
    Parsed,
    Rejection,
    parse_json,
    parse_ndjson,
)
from monitor.api.ports import House, LabelOutcome
from monitor.api.rates import RateLimit, Room
from monitor.api.views import Json, dump
from monitor.errors import StoreError
from monitor.records.label import Outcome

PARSERS = {"application/json": parse_json, "application/x-ndjson": parse_ndjson}
BODIES_AT_ONCE = 4  # of the largest size; many more of the usual ones
MOST_REJECTIONS = 1_000
SOURCE_PATTERN = r"^[A-Za-z0-9._:-]{1,256}$"
_REPORTED = (
    Outcome.JOINED, Outcome.PENDING, Outcome.DUPLICATE, Outcome.CORRECTED, Outcome.EXPIRED,
)  # fmt: skip

_SHAPES = ("LabelItem", "LabelsItem", "SeldonFeedback")
_ONE = {"oneOf": [{"$ref": f"#/components/schemas/{n}"} for n in _SHAPES]}
_MANY = {"type": "array", "minItems": 1, "items": _ONE}
_REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"anyOf": [_ONE, _MANY]}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "one item a line"}},
    },
}
_FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.Fault} for code in (400, 401, 408, 413, 415, 421, 429, 503)
}


class Feedback:
    """Takes labels from the wire to the house."""

    def __init__(
        self, house: House, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        control = house.control
        self._house = house
        self._clock = clock
        self._monotonic = monotonic
        self._limit_bytes = control.label_bytes
        self._rates = RateLimit(control.labels_per_second, control.labels_burst)
        self._room = Room(BODIES_AT_ONCE * control.label_bytes)

    async def post(self, request: Request) -> Response:
        """One request, from its head to its report."""
        parse = PARSERS[bodies.media_type(request, tuple(PARSERS))]
        address = request.client.host if request.client else ""
        client = request.state.token or address
        arrival = _arrival(request, self._clock(), address)
        self._refuse_if_in_debt(client)
        async with bodies.held(request, self._limit_bytes, self._room) as body:
            try:
                parsed = await run_in_threadpool(parse, body, arrival)
            except BodyError as error:
                self._rates.charge(client, 1, self._monotonic())
                raise HTTPException(422, str(error)) from None
            units = max(len(parsed.labels) + len(parsed.rejected), 1)
            self._rates.charge(client, units, self._monotonic())
            return await self._join(parsed)

    def _refuse_if_in_debt(self, client: str) -> None:
        wait = self._rates.wait_seconds(client, self._monotonic())
        if wait > 0:
            raise HTTPException(
                429,
                "too many labels for now: wait, and go on",
                {"retry-after": str(math.ceil(wait))},
            )

    async def _join(self, parsed: Parsed) -> Response:
        if parsed.rejected:
            self._house.count_rejected(len(parsed.rejected))
        outcomes: Sequence[LabelOutcome] = ()
        if parsed.labels:
            try:
                outcomes = await self._house.join(parsed.labels)
            except StoreError:
                raise bodies.busy("the store cannot take labels now; none was kept") from None
        report = _report(parsed, outcomes)
        if report["accepted"]:
            return _answer(202, report)
        fault = "nothing was acceptable" if report["rejected"] else "no labels"
        return _answer(422, {"error": fault, **report})


def _report(parsed: Parsed, outcomes: Sequence[LabelOutcome]) -> Json:
    rejected = list(parsed.rejected)
    counts: Counter[Outcome] = Counter()
    for index, label, one in zip(parsed.indices, parsed.labels, outcomes, strict=True):
        counts[one.outcome] += 1
        if one.outcome is Outcome.REJECTED:
            rejected.append(Rejection(index, f"row {label.row}: {one.error or 'not a label'}"))
    rejected.sort(key=lambda one: one.index)
    return {
        "accepted": len(parsed.labels) - counts[Outcome.REJECTED],
        **{str(outcome): counts[outcome] for outcome in _REPORTED},
        "rejected": [
            {"index": one.index, "error": one.error} for one in rejected[:MOST_REJECTIONS]
        ],
        "rejected_count": len(rejected),
    }


def _arrival(request: Request, at: float, address: str) -> Arrival:
    """Who posts: what a header names, else the token, else the address."""
    token = request.state.token
    poster = "" if token == UNNAMED else token
    given = request.headers.get("x-sidelight-source")
    if given is None:
        return Arrival(at, token or address, poster)
    if not PREDICTION_ID.fullmatch(given):
        fault = "x-sidelight-source is 1 to 128 letters, digits, '.', '_', ':' and '-'"
        raise HTTPException(422, fault)
    return Arrival(at, Arrival(at, "", poster).named(given), poster)


def _answer(status: int, document: Json) -> Response:
    return Response(dump(document), status, media_type="application/json")


def router(
    house: House, authorize: Authorize, clock: Callable[[], float], monotonic: Callable[[], float]
) -> APIRouter:
    """The route, with its place in the OpenAPI document."""
    feedback = Feedback(house, clock, monotonic)
    routes = APIRouter(tags=["labels"])

    @routes.post(
        "/feedback",
        status_code=202,
        response_model=label_shapes.FeedbackReport,
        responses={422: {"model": label_shapes.FeedbackRefusal | schemas.Fault}, **_FAULTS},
        openapi_extra={"requestBody": _REQUEST_BODY},
        dependencies=[Depends(authorize)],
    )
    async def post_feedback(request: Request) -> Response:
        """Post ground truth: one object, an array of them, or one a line. 202: durable.

        Each token, or where there is none each client address, may post 10,000 labels a second,
        and ten times as many at once; the answer over that is 429 with Retry-After. `source`, or
        the header `x-sidelight-source`, names who posts, and is kept. Seldon's feedback body is
        taken too.
        """
        return await feedback.post(request)

    @routes.delete(
        "/api/v1/labels",
        response_model=label_shapes.Revocation,
        responses={code: {"model": schemas.Fault} for code in (401, 422, 503)},
        dependencies=[Depends(authorize)],
    )
    async def revoke(source: Annotated[str, Query(pattern=SOURCE_PATTERN)]) -> Response:
        """Take out all that one source said until now; what others said counts again."""
        try:
            labels = await house.revoke(source)
        except StoreError:
            raise bodies.busy("the store does not answer now; ask again") from None
        return _answer(200, {"source": source, "labels": labels})

    return routes
