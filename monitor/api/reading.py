"""What anyone who reaches the control port may ask: `/metrics`, `/api/v1/…`, the probes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from monitor.api import bodies, label_shapes, performance_shapes, schemas, views
from monitor.api.guard import Authorize
from monitor.api.labels import PREDICTION_ID
from monitor.api.performance import performance as performance_view
from monitor.api.ports import House
from monitor.api.rates import Room
from monitor.errors import ReferenceFileError, StoreError
from monitor.profile.reference import READABLE
from monitor.snapshot import Snapshot

JSON = "application/json"
_STORE_IS_DOWN = "the store does not answer now"
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": schemas.Fault}}
_STORE: dict[int | str, dict[str, Any]] = {503: {"model": schemas.Fault}}
_WRITE: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.Fault} for code in (400, 401, 408, 413, 415, 422, 503)
}
_COLUMN = {"type": "object", "required": ["name", "role", "kind", "cells"]}
_DOCUMENT = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "description": "a reference file: what must be in it, and agree with itself",
                "required": ["sidelight_reference", "created_at", "rows", "columns"],
                "properties": {
                    "sidelight_reference": {"type": "integer", "enum": sorted(READABLE)},
                    "created_at": {"type": "string", "format": "date-time"},
                    "rows": {"type": "integer", "minimum": 1},
                    "columns": {"type": "array", "minItems": 1, "items": _COLUMN},
                },
            }
        }
    },
}


def snapshot_router(house: House) -> APIRouter:
    """What the newest Snapshot says."""
    routes = APIRouter(prefix="/api/v1", tags=["readings"])
    answers = views.Answers(house.snapshot)

    @routes.get("/drift", response_model=schemas.Drift)
    async def drift() -> Response:
        """Every column against the reference."""
        return Response(answers.body(views.drift), media_type=JSON)

    @routes.get("/performance", response_model=performance_shapes.Performance)
    async def performance() -> Response:
        """How right the predictions were, beside the reference."""
        return Response(answers.body(performance_view), media_type=JSON)

    @routes.get("/alerts", response_model=schemas.Alerts)
    async def alerts() -> Response:
        """Every alert that is, or lately was."""
        return Response(answers.body(views.alerts), media_type=JSON)

    @routes.get("/health", response_model=schemas.Health)
    async def health() -> Response:
        """How Sidelight itself is doing."""
        return Response(answers.body(views.health), media_type=JSON)

    def outlined(snapshot: Snapshot) -> views.Json:
        return views.outlines(snapshot, house.history)

    @routes.get("/columns", response_model=schemas.Outlines)
    async def columns() -> Response:
        """Every column in outline: how its score went, and its shares."""
        return Response(answers.body(outlined), media_type=JSON)

    @routes.get("/columns/{name:path}", response_model=schemas.Column, responses=_UNKNOWN)
    async def column(name: str, role: Annotated[str | None, Query()] = None) -> Response:
        """One column, bin by bin."""
        found = views.columns(house.snapshot(), house.history, name, role)
        if found is None:
            raise HTTPException(404, "there is no such column")
        return Response(views.dump(found), media_type=JSON)

    return routes


def prediction_router(house: House, authorize: Authorize) -> APIRouter:
    """What was predicted under one id: read it, delete it."""
    routes = APIRouter(prefix="/api/v1", tags=["labels"])

    @routes.get(
        "/predictions/{prediction_id}",
        response_model=label_shapes.Predicted,
        responses={**_UNKNOWN, **_STORE, 422: {"model": schemas.Fault}},
    )
    async def prediction(
        prediction_id: Annotated[str, Path(pattern=f"^{PREDICTION_ID.pattern}$")],
    ) -> Response:
        """What was predicted, and its label if known; by the prediction's id or another name."""
        try:
            rows = await house.prediction(prediction_id)
        except StoreError:
            raise bodies.busy(_STORE_IS_DOWN) from None
        if not rows:
            raise HTTPException(404, "there is no such prediction")
        found = views.prediction(rows[0].prediction.prediction_id, rows)
        return Response(views.dump(found), media_type=JSON)

    @routes.delete(
        "/predictions/{prediction_id}",
        response_model=label_shapes.Deletion,
        responses={code: {"model": schemas.Fault} for code in (401, 409, 422, 503)},
        dependencies=[Depends(authorize)],
    )
    async def erase(
        prediction_id: Annotated[str, Path(pattern=f"^{PREDICTION_ID.pattern}$")],
    ) -> Response:
        """Delete a prediction and its labels, for good: what comes for it later is dropped."""
        try:
            erased = await house.erase(prediction_id)
        except StoreError:
            raise bodies.busy(_STORE_IS_DOWN) from None
        if erased.ambiguous:
            raise HTTPException(409, "that is a name of several predictions: use their own ids")
        gone = {"prediction_id": prediction_id, "rows": erased.rows, "labels": erased.labels}
        return Response(views.dump(gone), media_type=JSON)

    return routes


def reference_router(house: House, authorize: Authorize) -> APIRouter:
    """The reference: read it, replace it."""
    routes = APIRouter(prefix="/api/v1", tags=["reference"])
    limit_bytes = house.control.reference_bytes
    room = Room(limit_bytes)

    @routes.get("/reference", responses=_UNKNOWN)
    async def reference() -> Response:
        """The reference in use, as its file."""
        document = await house.reference()
        if document is None:
            raise HTTPException(404, "the reference is still being learned")
        return Response(document, media_type=JSON)

    @routes.put(
        "/reference",
        response_model=schemas.Reference,
        responses=_WRITE,
        dependencies=[Depends(authorize)],
        openapi_extra={"requestBody": _DOCUMENT},
    )
    async def replace_reference(request: Request) -> Response:
        """Use another reference from now on; the same checks as for the file."""
        bodies.media_type(request, (JSON,))
        async with bodies.held(request, limit_bytes, room) as document:
            try:
                await house.replace_reference(document)
            except ReferenceFileError as error:
                raise HTTPException(422, str(error)) from None
            except StoreError:
                raise bodies.busy(_STORE_IS_DOWN) from None
        return Response(views.dump(views.reference(house.snapshot())), media_type=JSON)

    return routes


def probe_router(house: House) -> APIRouter:
    """What machines ask: scrapes and probes."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Prometheus text, or OpenMetrics by Accept."""
        accept = request.headers.get("accept", "")
        body, content_type = await run_in_threadpool(house.metrics, accept)
        return Response(body, headers={"content-type": content_type})

    @routes.get("/livez", response_model=schemas.Liveness)
    async def livez() -> Response:
        """This process answers."""
        return Response(b'{"status":"ok"}', media_type=JSON)

    @routes.get(
        "/readyz",
        response_model=schemas.Readiness,
        responses={503: {"model": schemas.Readiness}},
    )
    async def readyz() -> Response:
        """The relay accepts and the upstream is reachable; never the store."""
        ready, detail = await house.ready()
        body = views.dump({"ready": ready, "detail": detail})
        return Response(body, 200 if ready else 503, media_type=JSON)

    return routes
