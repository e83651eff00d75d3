"""The outbox: laws over random conversations with a receiver that comes and goes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.message import Message, Notice
from exporters.outbox import (
    FORMAT,
    LONGEST_ASKED_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_ATTEMPTS,
    MAX_NOTICES,
    Outbox,
)


def told(name: str, status: str = "firing", model: str = "m", turn: int = 0) -> Notice:
    labels = {"alertname": name, "model": model}
    return {
        "status": status, "labels": labels, "annotations": {"turn": str(turn)}, "startsAt": "",
        "endsAt": "", "generatorURL": "", "fingerprint": f"{model}/{name}",
    }  # fmt: skip


def outbox(seed: int = 1) -> Outbox:
    return Outbox(random.Random(seed))


def take(box: Outbox, now: float = 0.0) -> Message:
    message = box.take(now)
    assert message is not None
    return message


_offers = st.tuples(
    st.just("offer"), st.sampled_from("abc"), st.sampled_from(["firing", "resolved"])
)
_turns = st.one_of(
    _offers,
    st.tuples(st.just("answer"), st.booleans(), st.just("")),
    st.tuples(st.just("take"), st.just(""), st.just("")),
    st.tuples(st.just("restart"), st.just(""), st.just("")),
)


class Story:
    """A receiver and an outbox, and what each of them knows."""

    def __init__(self) -> None:
        self.box = outbox()
        self.now = 0.0
        self.under_way: Message | None = None
        self.newest: dict[str, Notice] = {}
        self.known: dict[str, Notice] = {}
        self.contents: dict[str, list[Notice]] = {}

    def play(self, turn: int, kind: str, first: Any, second: str) -> None:
        self.now += 1e6
        if kind == "offer":
            made = told(first, second, turn=turn)
            self.newest[made["fingerprint"]] = made
            self.box.offer([made])
        elif kind == "restart":
            kept = json.loads(json.dumps(self.box.to_document()))
            self.box, self.under_way = outbox(2 + turn), None
            self.box.restore(kept)
        elif kind == "take" and self.under_way is None:
            self.take()
        elif kind == "answer" and self.under_way is not None:
            self.answer(taken=first)

    def take(self) -> bool:
        self.under_way = self.box.take(self.now)
        if self.under_way is not None:
            same = self.contents.setdefault(self.under_way.id, list(self.under_way.notices))
            assert same == list(self.under_way.notices), "one id, one content"
        return self.under_way is not None

    def answer(self, *, taken: bool) -> None:
        assert self.under_way is not None
        if taken:
            self.known |= {each["fingerprint"]: each for each in self.under_way.notices}
            self.box.done(self.under_way)
        else:
            self.box.failed(self.under_way, self.now)
        self.under_way = None


@given(st.lists(_turns, max_size=40))
def test_the_receiver_ends_up_knowing_the_newest_state_of_everything(
    turns: list[tuple[str, Any, str]],
) -> None:
    story = Story()
    for turn, (kind, first, second) in enumerate(turns):
        story.play(turn, kind, first, second)
    for _ in range(4):
        story.now += 1e6
        if story.under_way is not None or story.take():
            story.answer(taken=True)
    assert story.known == story.newest
    assert story.box.waiting == 0
    assert story.box.due_at() is None


def test_one_notice_after_its_return_and_not_many() -> None:
    box = outbox()
    for turn in range(50):
        box.offer([told("a", ("firing", "resolved")[turn % 2], turn=turn)])
        message = box.take(turn * 1e6)
        assert message is not None
        box.failed(message, turn * 1e6)
    message = take(box, 1e9)
    assert [each["annotations"]["turn"] for each in message.notices] == ["49"]


def test_the_id_stays_while_the_content_does() -> None:
    box = outbox()
    box.offer([told("a")])
    ids = []
    for attempt in range(3):
        message = take(box, attempt * 1e6)
        ids.append(message.id)
        box.failed(message, attempt * 1e6)
    box.offer([told("b")])
    assert len(set(ids)) == 1
    assert take(box, 1e9).id != ids[0]


def test_news_during_an_attempt_is_another_message() -> None:
    box = outbox()
    box.offer([told("a")])
    first = take(box)
    box.offer([told("a", "resolved")])
    assert box.take(1e9) is None, "one attempt at a time keeps the order"
    box.done(first)
    second = take(box)
    assert second.id != first.id
    assert second.notices[0]["status"] == "resolved"


def test_models_are_told_apart() -> None:
    box = outbox()
    box.offer([told("a", model="m"), told("a", model="n"), told("b", model="m")])
    messages = [take(box), take(box)]
    assert [(m.group, len(m.notices)) for m in messages] == [("m", 2), ("n", 1)]


def test_waits_double_up_to_five_minutes_with_chance_in_them() -> None:
    box = outbox()
    box.offer([told("a")])
    waits = []
    for _ in range(14):
        message = take(box, 1e12)
        box.failed(message, 0.0)
        waits.append(box.due_at() or 0.0)
    for attempt, wait in enumerate(waits):
        longest = min(2.0**attempt, LONGEST_RETRY_SECONDS)
        assert longest / 2 <= wait <= longest
    assert len({round(wait / LONGEST_RETRY_SECONDS, 6) for wait in waits[-4:]}) == 4


@pytest.mark.parametrize(("asked", "least"), [(120.0, 120.0), (1e9, LONGEST_ASKED_SECONDS)])
def test_a_receiver_may_ask_for_time(asked: float, least: float) -> None:
    box = outbox()
    box.offer([told("a")])
    box.failed(take(box), 0.0, asked)
    assert box.due_at() == least
    assert box.take(least - 0.1) is None
    assert box.take(least) is not None


def test_a_message_is_given_up_in_the_end() -> None:
    box = outbox()
    box.offer([told("a"), told("b")])
    given_up = [box.failed(take(box, 1e12), 0.0) for _ in range(MAX_ATTEMPTS)]
    assert given_up == [0] * (MAX_ATTEMPTS - 1) + [2]
    assert box.waiting == 0


def test_the_queue_is_bounded() -> None:
    box = outbox()
    lost = box.offer([told(str(i)) for i in range(MAX_NOTICES + 10)])
    assert (lost, box.waiting) == (10, MAX_NOTICES)
    assert take(box).notices[0]["labels"]["alertname"] == "10", "the oldest go first"


@pytest.mark.parametrize(
    "document",
    [{}, {"format": 9, "groups": []}, {"format": FORMAT, "groups": 3},
     {"format": FORMAT, "groups": [1]},
     {"format": FORMAT, "groups": [{"group": "m", "id": "", "attempts": 0, "notices": [{}]}]},
     {"format": FORMAT, "groups": [{"group": "m", "id": "", "attempts": 0,
                               "notices": [{"fingerprint": "f", "labels": 1}]}]},
     {"format": FORMAT, "groups": [{"group": "m", "id": "", "attempts": 0,
                               "notices": [{**told("a"), "startsAt": 5}]}]}],
)  # fmt: skip
def test_a_foreign_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="outbox"):
        outbox().restore(document)


def one_by_one(seed: int = 1) -> Outbox:
    return Outbox(random.Random(seed), single=True)


def test_alerts_one_by_one_have_an_id_each() -> None:
    box = one_by_one()
    box.offer([told("a"), told("b")])
    messages = [take(box), take(box)]
    assert [len(m.notices) for m in messages] == [1, 1]
    assert len({m.id for m in messages}) == 2
    for message in messages:
        box.done(message)
    assert box.waiting == 0


def test_a_receiver_that_is_away_is_not_asked_once_for_each_alert() -> None:
    box = one_by_one()
    box.offer([told(str(i)) for i in range(100)])
    asked, now = 0, 0.0
    while now < 3600.0:
        message = box.take(now)
        if message is not None:
            box.failed(message, now)
            asked += 1
        now = max(box.due_at() or 0.0, now)
    assert asked <= 9 + 2 * 3600 / LONGEST_RETRY_SECONDS  # 1, 2, 4 … 256 s, then the longest
    assert box.waiting == 100


def test_a_refused_alert_does_not_hold_up_the_others() -> None:
    box = one_by_one()
    box.offer([told("bad"), told("good")])
    box.failed(take(box), 0.0, refused=True)
    assert take(box).notices[0]["labels"]["alertname"] == "good"


def test_an_asked_wait_is_the_receivers_and_not_one_alerts() -> None:
    box = one_by_one()
    box.offer([told("a"), told("b")])
    box.failed(take(box), 0.0, 100.0)
    assert box.take(99.9) is None
    assert box.due_at() == 100.0
    assert take(box, 100.0).notices[0]["labels"]["alertname"] == "b", "each in its turn"


def test_one_by_one_the_queue_is_bounded_too() -> None:
    box = one_by_one()
    assert box.offer([told(str(i)) for i in range(MAX_NOTICES + 10)]) == 10
    assert box.waiting == MAX_NOTICES
    assert len(box.to_document()["groups"]) == MAX_NOTICES


def test_a_reminder_never_replaces_news() -> None:
    box = outbox()
    box.offer([told("a", "resolved", turn=1)])
    box.remind([told("a", turn=0), told("b", turn=0)])
    message = take(box)
    assert [each["status"] for each in message.notices] == ["resolved", "firing"]
    box.remind([told("a", turn=2)])
    box.done(message)
    assert box.waiting == 0, "what is under way is no less than a reminder"
