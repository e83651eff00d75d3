"""Both sides of an HTTP/2 connection, written with the libraries that others use."""

from __future__ import annotations

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from monitor.records.tunnelled import CLIENT, UPSTREAM

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"

Said = tuple[int, bytes]  # a side, and its bytes


def framed(message: bytes) -> bytes:
    """A gRPC message."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Talk:
    """What both sides say, in order: `said` is (side, bytes)."""

    def __init__(self) -> None:
        self._encoders = hpack.Encoder(), hpack.Encoder()
        self.said: list[Said] = []
        self._say(CLIENT, PREFACE)
        self.frame(CLIENT, SettingsFrame(0, {SettingsFrame.HEADER_TABLE_SIZE: 4096}))
        self.frame(UPSTREAM, SettingsFrame(0))
        self.frame(CLIENT, SettingsFrame(0, flags=["ACK"]))

    def _say(self, side: int, data: bytes) -> None:
        self.said.append((side, data))

    def frame(self, side: int, *frames: Frame) -> None:
        self._say(side, b"".join(frame.serialize() for frame in frames))

    def fields(
        self, side: int, stream: int, fields: list[tuple[str, str]], *flags: str, cut: int = 0
    ) -> None:
        """A header block, in two frames where it is cut."""
        block = self._encoders[side].encode(fields)
        if not cut:
            self.frame(side, HeadersFrame(stream, block, flags=["END_HEADERS", *flags]))
            return
        first = HeadersFrame(stream, block[:cut], flags=list(flags))
        self.frame(side, first, ContinuationFrame(stream, block[cut:], flags=["END_HEADERS"]))

    def data(self, side: int, stream: int, data: bytes, *flags: str) -> None:
        self.frame(side, DataFrame(stream, data, flags=list(flags)))

    def ask(
        self,
        stream: int,
        path: str = INFER,
        body: bytes = b"",
        *more: tuple[str, str],
        kind: str = "application/grpc",
        cut: int = 0,
    ) -> None:
        """A whole request."""
        self.fields(
            CLIENT,
            stream,
            [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "model"),
             ("content-type", kind), *more],
            cut=cut,
        )  # fmt: skip
        self.data(CLIENT, stream, body, "END_STREAM")

    def answer(self, stream: int, body: bytes, status: str = "0") -> None:
        """A whole answer with gRPC's trailers."""
        self.fields(UPSTREAM, stream, [(":status", "200"), ("content-type", "application/grpc")])
        self.data(UPSTREAM, stream, body)
        self.fields(UPSTREAM, stream, [("grpc-status", status)], "END_STREAM")

    def noise(self) -> None:
        """What has no meaning for an observer."""
        self.frame(CLIENT, PingFrame(0, b"12345678"), WindowUpdateFrame(0, 65535))
        self.frame(UPSTREAM, PingFrame(0, b"12345678", flags=["ACK"]))

    def reset(self, side: int, stream: int) -> None:
        self.frame(side, RstStreamFrame(stream, 8))
