"""The control port's application: routers put together, errors told in one shape, the page served.

Everything it serves is its own or a package's: nothing is fetched from elsewhere, nothing runs
inline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from swagger_ui_bundle import swagger_ui_path

from monitor.api import charts, events, feedback, reading
from monitor.api.guard import DOCS_POLICY, SECURITY_HEADERS, Authorize, Guard
from monitor.api.openapi import ControlApp
from monitor.api.ports import House
from monitor.api.views import dump

ASSETS = Path(__file__).parent / "assets"


def create_app(
    house: House,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The application of `house`; `clock` dates labels, `monotonic` paces their posters."""
    app = ControlApp(
        title="Sidelight",
        description="What goes into a model, what comes out, and how right it was.",
        version=_release(),
        docs_url=None,
        redoc_url=None,
    )
    authorize = Authorize(house.control.token, house.control.tokens)
    app.guarded = authorize.guards
    app.include_router(feedback.router(house, authorize, clock, monotonic))
    app.include_router(events.router(house, authorize, clock))
    app.include_router(reading.snapshot_router(house))
    app.include_router(reading.prediction_router(house, authorize))
    app.include_router(reading.reference_router(house, authorize))
    app.include_router(reading.probe_router(house))
    _serve_page(app)
    _tell_errors(app)
    app.add_middleware(Guard, loopback=house.control.loopback)
    return app


def _release() -> str:
    try:
        return version("sidelight")
    except PackageNotFoundError:
        return "unknown"


def _serve_page(app: FastAPI) -> None:
    index = (ASSETS / "index.html").read_text("utf-8").replace("{charts}", charts.PATH)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return HTMLResponse(index, headers={"cache-control": "no-cache"})

    @app.get("/runbook", include_in_schema=False)
    async def runbook() -> Response:
        return FileResponse(ASSETS / "runbook.html", headers={"cache-control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        headers = {"cache-control": "no-cache", "content-security-policy": DOCS_POLICY}
        return FileResponse(ASSETS / "docs.html", headers=headers)

    charts.serve_charts(app)
    app.mount("/assets/swagger-ui", StaticFiles(directory=swagger_ui_path))
    app.mount("/assets", StaticFiles(directory=ASSETS))


def _tell_errors(app: FastAPI) -> None:
    """Every error is `{"error": …}`: no trace, no echo of what was sent."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        headers = error.headers
        if error.status_code == 405:
            headers = {"allow": ", ".join(_methods(app, request))}
        return _fault(error.status_code, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        places = {".".join(map(str, one["loc"][1:])) + ": " + one["msg"] for one in error.errors()}
        return _fault(422, "; ".join(sorted(places)))

    @app.exception_handler(Exception)
    async def broken(_request: Request, _error: Exception) -> Response:
        return _fault(500, "internal error", SECURITY_HEADERS)  # made outside of Guard


def _methods(app: FastAPI, request: Request) -> list[str]:
    """All that may be asked of this path: each of its routes knows only its own method."""
    of_path = [
        route
        for route in app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return sorted({method for route in of_path for method in route.methods or ()})


def _fault(status: int, error: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dump({"error": error}), status, headers, media_type="application/json")
