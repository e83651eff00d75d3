"""What of HTTP/2 is copied for the monitor: frames of meaning, without what is too large."""

from __future__ import annotations

from hyperframe.frame import DataFrame, PingFrame
from hypothesis import given
from hypothesis import strategies as st

from monitor.records.tunnelled import CLIENT, OVERSIZE, UPSTREAM
from monitor.relay.http2 import FrameCopy
from tests.codec.http2.transcript import PREFACE, Talk


def client_bytes(talk: Talk) -> bytes:
    return b"".join(data for side, data in talk.said if side == CLIENT)


@given(cuts=st.integers(1, 100))
def test_any_cut_copies_the_same_and_counts_the_same(cuts: int) -> None:
    talk = Talk()
    for stream in (1, 3):
        talk.ask(stream, body=bytes(50))
        talk.noise()
    data = client_bytes(talk)
    whole, opened = FrameCopy(1000, client=True).feed(data)
    copy, pieces, streams = FrameCopy(1000, client=True), [], 0
    for at in range(0, len(data), cuts):
        part, new = copy.feed(data[at : at + cuts])
        pieces += part
        streams += new
    assert b"".join(pieces) == b"".join(whole)
    assert streams == opened == 2
    assert copy.at_boundary


def test_pings_and_the_preface_are_left_out() -> None:
    ping = PingFrame(0, bytes(8)).serialize()
    data = DataFrame(1, b"x").serialize()
    pieces, _ = FrameCopy(10, client=True).feed(PREFACE + ping + data + ping)
    assert b"".join(pieces) == data


def test_data_over_the_limit_is_named_and_not_copied() -> None:
    copy = FrameCopy(10, client=False)
    frames = [
        DataFrame(1, bytes(8)),
        DataFrame(1, bytes(8)),
        DataFrame(1, bytes(8), flags=["END_STREAM"]),
    ]
    pieces, _ = copy.feed(b"".join(frame.serialize() for frame in frames))
    oversize = bytes([0, 0, 0, OVERSIZE, 0, 0, 0, 0, 1]), bytes([0, 0, 0, OVERSIZE, 1, 0, 0, 0, 1])
    assert b"".join(pieces) == frames[0].serialize() + oversize[0] + oversize[1]


def test_the_limit_is_of_one_turn() -> None:
    copy = FrameCopy(10, client=False)
    data = DataFrame(1, bytes(8)).serialize()
    for _ in range(5):
        copy.heard({1})
        assert b"".join(copy.feed(data)[0]) == data


def _boundaries(copy: FrameCopy, data: bytes) -> list[int]:
    """After how many bytes, fed one by one, it was at a boundary."""
    found = []
    for at in range(len(data)):
        copy.feed(data[at : at + 1])
        if copy.at_boundary:
            found.append(at + 1)
    return found


def test_a_boundary_is_between_frames_and_not_within_a_header_block() -> None:
    talk = Talk()
    talk.ask(1, cut=4)
    data = client_bytes(talk)
    found = _boundaries(FrameCopy(1000, client=True), data)
    # After the preface and each of: two SETTINGS, HEADERS with its CONTINUATION, and DATA.
    assert len(found) == 5
    assert found[-1] == len(data)
    # A server has no preface: its SETTINGS end at the first boundary.
    (said,) = (data for side, data in talk.said if side == UPSTREAM)
    assert _boundaries(FrameCopy(1000, client=False), said) == [len(said)]
