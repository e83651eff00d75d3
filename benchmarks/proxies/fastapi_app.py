"""The proxy people write first: FastAPI and httpx.

Runs in the peers' environment: `python fastapi_app.py PORT ORIGIN_PORT`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def build(origin: str) -> FastAPI:
    """The application: one route that forwards everything over one pooled client."""
    clients: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=origin, timeout=30) as client:
            clients.append(client)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def forward(path: str, request: Request) -> Response:
        headers = [(k, v) for k, v in request.headers.items() if k not in _HOP_BY_HOP]
        answer = await clients[0].request(
            request.method, f"/{path}", content=await request.body(), headers=headers
        )
        kept = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
        return Response(answer.content, answer.status_code, kept)

    return app


if __name__ == "__main__":
    port, origin_port = map(int, sys.argv[1:])
    uvicorn.run(
        build(f"http://127.0.0.1:{origin_port}"),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        access_log=False,
        log_level="warning",
    )
