"""The faster proxy people write in Python: aiohttp both ways.

Runs in the peers' environment: `python aiohttp_app.py PORT ORIGIN_PORT`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import aiohttp  # type: ignore[import-not-found,unused-ignore] # only in the peers' environment
import uvloop
from aiohttp import web  # type: ignore[import-not-found,unused-ignore]

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_SESSION = web.AppKey("session", aiohttp.ClientSession)


def build(origin: str) -> web.Application:
    """The application: one route that forwards everything over one pooled session."""

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(origin, auto_decompress=False) as opened:
            app[_SESSION] = opened
            yield

    async def forward(request: web.Request) -> web.Response:
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP]
        async with request.app[_SESSION].request(
            request.method, request.rel_url, data=await request.read(), headers=headers
        ) as answer:
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP]
            body = await answer.read()
            response = web.Response(body=body, status=answer.status)
            for name, value in kept:
                response.headers[name] = value
            return response

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


if __name__ == "__main__":
    port, origin_port = map(int, sys.argv[1:])
    loop = uvloop.new_event_loop()
    web.run_app(
        build(f"http://127.0.0.1:{origin_port}"),
        host="127.0.0.1",
        port=port,
        access_log=None,
        print=None,
        loop=loop,
    )
