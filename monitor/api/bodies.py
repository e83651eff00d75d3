"""Request bodies: checked while they stream in, never beyond their limit, never waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from monitor.api.rates import Room

READ_SECONDS = 30.0
RETRY_SECONDS = 5


def media_type(request: Request, allowed: tuple[str, ...]) -> str:
    """The request's media type where it is one of `allowed`, and not encoded; else 415.

    A form cannot send these types across origins, so this is also what stops a foreign page from
    posting.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in allowed:
        raise HTTPException(415, f"content-type is {' or '.join(allowed)}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "content-encoding is not accepted here")
    return given


@asynccontextmanager
async def held(request: Request, limit_bytes: int, room: Room) -> AsyncIterator[bytes]:
    """The whole body, which counts against `room` until the block ends.

    413 as soon as it passes its limit, 503 when there is no room for it now, 408 when it takes
    too long.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:18]) > limit_bytes:
        raise _too_large(limit_bytes)
    with room.hold() as take:
        yield await _read(request, limit_bytes, take)


async def _read(request: Request, limit_bytes: int, take: Callable[[int], bool]) -> bytes:
    pieces = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > limit_bytes:
                    raise _too_large(limit_bytes)
                if not take(len(piece)):
                    raise busy("too many bodies are being read; try again")
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive in {READ_SECONDS:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "the client left before its body was whole") from None
    return bytes(pieces)


def busy(fault: str) -> HTTPException:
    """503, to be tried again."""
    return HTTPException(503, fault, {"retry-after": str(RETRY_SECONDS)})


def _too_large(limit_bytes: int) -> HTTPException:
    return HTTPException(413, f"the body is over {limit_bytes} bytes")
