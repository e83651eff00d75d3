"""The page's charting library, served from the package that ships it: plotly's own bundle.

It is megabytes, so it goes out compressed, is kept by browsers for good under a name that holds its
version, and is asked for only after the page shows its tables.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import brotli
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

PATH = f"/assets/charts/plotly-{version('plotly')}.min.js"
_FOREVER = "public, max-age=31536000, immutable"  # the name changes with the content
_QUALITY = 5  # beyond it, brotli takes seconds for a few per cent


def _bundle() -> bytes:
    spec = find_spec("plotly")  # found, not imported: only its file is wanted
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise FileNotFoundError("plotly is not installed")
    return (Path(places[0]) / "package_data" / "plotly.min.js").read_bytes()


def _gzip(content: bytes) -> bytes:
    packing = zlib.compressobj(6, wbits=31)
    return packing.compress(content) + packing.flush()


def _brotli(content: bytes) -> bytes:
    packed: bytes = brotli.compress(content, mode=brotli.MODE_TEXT, quality=_QUALITY)
    return packed


_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {"br": _brotli, "gzip": _gzip}


@cache
def _packed(coding: str) -> bytes:
    """The bundle in one coding, made at the first question."""
    return _CODINGS[coding](_bundle())


def coding_for(accept: str) -> str:
    """The best coding that an Accept-Encoding field names; "" for none.

    >>> coding_for("gzip, deflate, br;q=1.0"), coding_for("gzip;q=0"), coding_for("identity")
    ('br', '', '')
    """
    named = {}
    for item in accept.lower().split(","):
        name, _, weight = item.partition(";")
        named[name.strip()] = weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return next((coding for coding in _CODINGS if named.get(coding)), "")


def serve_charts(app: FastAPI) -> None:
    """Serve the bundle at `PATH`."""

    @app.get(PATH, include_in_schema=False)
    async def charts(request: Request) -> Response:
        coding = coding_for(request.headers.get("accept-encoding", ""))
        content = await run_in_threadpool(_packed, coding) if coding else _bundle()
        headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
        if coding:
            headers["content-encoding"] = coding
        return Response(content, media_type="text/javascript", headers=headers)
