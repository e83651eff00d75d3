"""What a relay worker says of HTTP/2 connections that it tunnels: two more frames of its wire.

Sans-io, standard library only. A TUNNELLED frame holds a piece of one side of a connection, as
HTTP/2 frames; TUNNEL_END says that no more of them will come. Connections are told apart by a
number that a worker never uses twice.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

TUNNELLED = 4
TUNNEL_END = 5

HTTP2 = "h2"  # in place of a status code, which stands in a compressed header
CLIENT, UPSTREAM = 0, 1  # whose bytes they are
FRAME_HEAD_BYTES = 9  # RFC 9113 section 4.1
OVERSIZE = 0xF1  # in a piece: data of this stream was left out; RFC 9113 has no such frame

_PREFIX = struct.Struct("!IB")
_PIECE = struct.Struct("!IBBHd")
_END = struct.Struct("!IB")


class Piece(NamedTuple):
    """Some bytes of one side; `fresh` where the connection is known from its first byte on."""

    tunnel: int
    side: int
    fresh: bool
    opened: int  # streams that begin in it: exchanges, each of which has to be acknowledged
    at: float  # Unix seconds
    data: bytes


class TunnelEnd(NamedTuple):
    """The end of a connection, or (`lost`) of what is told of it: streams under way are dropped."""

    tunnel: int
    lost: bool


def pack_piece(piece: Piece) -> bytes:
    """One TUNNELLED frame."""
    tunnel, side, fresh, opened, at, data = piece
    head = _PIECE.pack(tunnel, side, fresh, opened, at)
    return _PREFIX.pack(len(head) + len(data) + 1, TUNNELLED) + head + data


def unpack_piece(payload: bytes) -> Piece:
    """The piece in the payload of a TUNNELLED frame; ValueError where there is none."""
    try:
        tunnel, side, fresh, opened, at = _PIECE.unpack_from(payload)
    except struct.error:
        raise ValueError("a piece of a tunnel that is too short") from None
    return Piece(tunnel, side, bool(fresh), opened, at, payload[_PIECE.size :])


def pack_end(end: TunnelEnd) -> bytes:
    """One TUNNEL_END frame.

    >>> unpack_end(pack_end(TunnelEnd(7, lost=True))[5:])
    TunnelEnd(tunnel=7, lost=True)
    """
    return _PREFIX.pack(_END.size + 1, TUNNEL_END) + _END.pack(*end)


def unpack_end(payload: bytes) -> TunnelEnd:
    """The end in the payload of a TUNNEL_END frame; ValueError where there is none."""
    try:
        tunnel, lost = _END.unpack(payload)
    except struct.error:
        raise ValueError("an end of a tunnel of another length") from None
    return TunnelEnd(tunnel, bool(lost))
