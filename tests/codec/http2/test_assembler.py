"""Streams become exchanges: from transcripts, whole and in pieces of any size."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.codec.http2.assembler import Assembler, AssemblerSettings, Settled
from monitor.records.selection import Selection
from monitor.records.tunnelled import CLIENT, UPSTREAM
from monitor.relay.http2 import FrameCopy
from tests.codec.http2.transcript import INFER, STREAM, Said, Talk, framed

LIMIT = 1000


def heard(
    said: list[Said],
    cuts: int = 1 << 30,
    *,
    paths: tuple[str, ...] = (),
    late: int = 0,
    lost: bool = False,
) -> list[Settled]:
    """What comes out: through the relay's copy, in pieces of `cuts` bytes; `late` is how many
    of the things said nobody heard.
    """
    numbers = itertools.count(1)
    settings = AssemblerSettings(
        LIMIT, Selection(paths) if paths else _all, lambda: f"made-{next(numbers)}"
    )
    assembler = Assembler(settings, fresh=not late)
    copies = FrameCopy(LIMIT, client=True), FrameCopy(LIMIT, client=False)
    results: list[Settled] = []
    opened_in_all = 0
    for turn, (side, data) in enumerate(said):
        for at in range(0, len(data), cuts):
            pieces, opened = copies[side].feed(data[at : at + cuts])
            copies[1 - side].heard(copies[side].spoke)
            if turn >= late:
                opened_in_all += opened
                results += assembler.feed(side, b"".join(pieces), float(turn), opened)
    results += assembler.end(lost=lost)
    assert sum(one.counts for one in results) == opened_in_all  # each stream has one account
    return results


def _all(_method: bytes, _target: bytes) -> str:
    return ""


def fates(results: list[Settled]) -> Counter[object]:
    return Counter("exchange" if one.exchange else one.fate for one in results)


def test_a_call_becomes_an_exchange() -> None:
    talk = Talk()
    talk.ask(1, INFER, framed(b"question"), ("x-request-id", "mine"))
    talk.noise()
    talk.answer(1, framed(b"answer"))
    (one,) = heard(talk.said)
    exchange = one.exchange
    assert exchange is not None
    assert (exchange.prediction_id, exchange.method, exchange.target) == ("mine", "POST", INFER)
    assert (exchange.request_body, exchange.response_body) == (
        framed(b"question"),
        framed(b"answer"),
    )
    assert exchange.request_field(b"content-type") == b"application/grpc"
    assert exchange.duration_seconds > 0


def test_an_id_that_is_none_is_made() -> None:
    talk = Talk()
    talk.ask(1, INFER, framed(b"q"), ("x-request-id", "two words"))
    talk.answer(1, framed(b"a"))
    (one,) = heard(talk.said)
    assert one.exchange is not None
    assert one.exchange.prediction_id == "made-1"


@given(cuts=st.integers(1, 200), cut=st.integers(1, 12))
def test_pieces_of_any_size_say_the_same(cuts: int, cut: int) -> None:
    talk = Talk()
    for stream in (1, 3, 5):
        talk.ask(stream, INFER, framed(b"q%d" % stream), ("x-request-id", f"id-{stream}"), cut=cut)
    for stream in (3, 5, 1):
        talk.answer(stream, framed(b"a%d" % stream))
    found = heard(talk.said, cuts)
    assert [
        (one.exchange.prediction_id, one.exchange.request_body, one.exchange.response_body)
        for one in found
        if one.exchange
    ] == [(f"id-{n}", framed(b"q%d" % n), framed(b"a%d" % n)) for n in (3, 5, 1)]


@pytest.mark.parametrize(
    ("path", "kind", "status", "fate"),
    [
        (INFER, "application/grpc", "3", ("skipped", "status")),
        ("/grpc.health.v1.Health/Check", "application/grpc", "0", ("skipped", "path")),
        ("/predict", "application/json", "0", "exchange"),
        ("/other", "application/json", "0", ("skipped", "path")),
    ],
)
def test_what_is_no_prediction_says_why(path: str, kind: str, status: str, fate: object) -> None:
    talk = Talk()
    talk.ask(1, path, b"{}", kind=kind)
    talk.answer(1, b"{}", status)
    assert fates(heard(talk.said, paths=("/predict", "/inference*"))) == {fate: 1}


def test_an_error_without_a_body_and_an_error_of_http() -> None:
    talk = Talk()
    talk.ask(1)
    talk.fields(UPSTREAM, 1, [(":status", "200"), ("grpc-status", "5")], "END_STREAM")
    talk.ask(3)
    talk.fields(UPSTREAM, 3, [(":status", "503")], "END_STREAM")
    talk.ask(5)
    talk.fields(UPSTREAM, 5, [(":status", "103"), ("link", "x")])
    talk.answer(5, framed(b"a"))
    assert fates(heard(talk.said)) == {("skipped", "status"): 2, "exchange": 1}


def test_who_leaves_is_aborted_and_who_is_cut_off_is_dropped() -> None:
    talk = Talk()
    for stream in (1, 3, 5):
        talk.ask(stream)
    talk.reset(CLIENT, 1)
    talk.reset(UPSTREAM, 3)
    assert fates(heard(talk.said)) == {("skipped", "aborted"): 3}
    assert fates(heard(talk.said, lost=True)) == {
        ("skipped", "aborted"): 2,
        ("dropped", "queue_full"): 1,
    }


def test_a_body_over_the_limit_is_skipped_and_not_held() -> None:
    talk = Talk()
    talk.fields(
        CLIENT, 1, [(":method", "POST"), (":path", INFER), ("content-type", "application/grpc")]
    )
    for _ in range(30):
        talk.data(CLIENT, 1, bytes(100))
    talk.data(CLIENT, 1, b"", "END_STREAM")
    talk.answer(1, framed(b"a"))
    talk.ask(3, INFER, framed(b"q"))
    talk.answer(3, framed(b"a"))
    assert fates(heard(talk.said)) == {("skipped", "size"): 1, "exchange": 1}


def test_whoever_joins_late_reads_what_comes_from_then_on() -> None:
    talk = Talk()
    talk.ask(1, INFER, framed(b"q1"), ("authorization", "unheard"))
    talk.answer(1, framed(b"a1"))
    late = len(talk.said)
    for stream in (3, 5):
        talk.ask(stream, INFER, framed(b"q%d" % stream), ("x-request-id", f"id-{stream}"))
        talk.answer(stream, framed(b"a%d" % stream))
    found = [one.exchange for one in heard(talk.said, late=late) if one.exchange]
    # Path and content type came before: they are in a table that was not heard. Ids came since.
    for exchange in found:
        assert exchange.request_field(b"content-type") == b"application/grpc"
        assert exchange.response_field(b"content-type") == b"application/grpc"
    assert [(one.target, one.prediction_id, one.request_body) for one in found] == [
        ("", "id-3", framed(b"q3")),
        ("", "id-5", framed(b"q5")),
    ]


def proto(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def test_streamed_messages_are_paired_by_id_as_they_come() -> None:
    talk = Talk()
    talk.fields(
        CLIENT, 1, [(":method", "POST"), (":path", STREAM), ("content-type", "application/grpc")]
    )
    talk.fields(UPSTREAM, 1, [(":status", "200"), ("content-type", "application/grpc")])
    asked = {name: framed(proto(1, b"model") + proto(3, name)) for name in (b"a", b"b", b"c")}
    told = {name: framed(proto(2, proto(1, b"model") + proto(3, name))) for name in asked}
    talk.data(CLIENT, 1, asked[b"a"] + asked[b"b"][:3])
    talk.data(CLIENT, 1, asked[b"b"][3:])
    talk.data(UPSTREAM, 1, told[b"b"] + told[b"b"])  # the second answers nothing more
    talk.data(CLIENT, 1, asked[b"c"], "END_STREAM")
    talk.data(UPSTREAM, 1, told[b"a"] + told[b"c"])
    talk.fields(UPSTREAM, 1, [("grpc-status", "0")], "END_STREAM")
    *pairs, last = heard(talk.said)
    assert [
        (one.exchange.request_body, one.exchange.response_body) for one in pairs if one.exchange
    ] == [(asked[name], told[name]) for name in (b"b", b"a", b"c")]
    assert not any(one.counts for one in pairs)
    assert last == Settled(None, ("observed", ""))


def test_a_stream_of_small_messages_may_go_on_for_ever() -> None:
    talk = Talk()
    talk.fields(
        CLIENT, 1, [(":method", "POST"), (":path", STREAM), ("content-type", "application/grpc")]
    )
    talk.fields(UPSTREAM, 1, [(":status", "200"), ("content-type", "application/grpc")])
    for _ in range(100):
        talk.data(CLIENT, 1, framed(proto(1, bytes(100))))
        talk.data(UPSTREAM, 1, framed(proto(2, proto(1, bytes(100)))))
    talk.fields(UPSTREAM, 1, [("grpc-status", "0")], "END_STREAM")
    assert fates(heard(talk.said)) == {"exchange": 100, ("observed", ""): 1}


@given(
    noise=st.lists(
        st.tuples(st.sampled_from([CLIENT, UPSTREAM]), st.binary(max_size=80)), max_size=8
    )
)
def test_no_bytes_at_all_cost_more_than_their_own_streams(noise: list[Said]) -> None:
    talk = Talk()
    talk.ask(1, INFER, framed(b"q"))
    talk.answer(1, framed(b"a"))
    heard(talk.said + noise)  # and every stream that the relay counted has one account
