"""Plans of heads that differ only in an id or a length: read once, then filled in.

A head with a fresh `x-request-id`, `traceparent` or `content-length` is never seen twice, but all
of it around their values is. Only values that no decision depends on are cut out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from monitor.relay.http1.grammar import ProtocolError
from monitor.relay.http1.memo import MAX_KEPT_HEAD_BYTES, MAX_PLANS
from monitor.relay.http1.requests import RequestPlan

# A length that is canonical and not zero; an identifier that is kept as it came. Anything else is
# not matched, stays part of the text, and is read in full.
_VOLATILE = re.compile(
    rb"(\r\n(?:[Cc]ontent-[Ll]ength: ?(?=[1-9][0-9]{0,14}\r)|[Xx]-[Rr]equest-[Ii][Dd]: ?"
    rb"|[Tt]raceparent: ?))([0-9A-Za-z._:\-]{1,128}+)(?=\r\n)"
)
_MAX_VALUES = 4

# Stand for the values while a template is read; no peer can guess them.
_FIRST = 10**14 + secrets.randbelow(8 * 10**14)
_SENTINELS = tuple(b"%d" % (_FIRST + index) for index in range(_MAX_VALUES))


@dataclass(frozen=True, slots=True)
class _Template:
    """A plan whose texts have a `%b` for each value."""

    plan: RequestPlan
    fields: bytes
    head: bytes
    opening: bytes
    length_at: int  # which value is the length; -1: none
    id_at: int  # which value is the prediction's id; -1: none

    def fill(self, values: tuple[bytes, ...]) -> RequestPlan:
        """The plan for a head with these values."""
        plan = self.plan
        return RequestPlan(
            plan.method, plan.target, self.fields % values,
            int(values[self.length_at]) if self.length_at >= 0 else plan.length,
            plan.http10, plan.keep_alive, plan.upgrade, plan.expects, plan.retriable,
            plan.unoffered, self.head % values, self.opening and self.opening % values,
            values[self.id_at] if self.id_at >= 0 else plan.prediction_id,
        )  # fmt: skip


class TemplateReader:
    """Reads heads as `read` does, but those of one shape only twice: a shape may never come again,
    and a template costs as much as a plan.
    """

    def __init__(self, read: Callable[[bytes], RequestPlan]) -> None:
        self._read = read
        self._templates: dict[tuple[bytes, ...], _Template | None] = {}
        self._seen_once: set[tuple[bytes, ...]] = set()

    def __call__(self, head: bytes) -> RequestPlan:
        """The plan for a complete head; ProtocolError as `read` raises it."""
        parts = _VOLATILE.split(head)
        if len(parts) == 1:
            return self._read(head)
        values = tuple(parts[2::3])
        del parts[2::3]
        shape = tuple(parts)
        try:
            template = self._templates[shape]
        except KeyError:
            template = self._learn(shape, len(values))
        return self._read(head) if template is None else template.fill(values)

    def _learn(self, shape: tuple[bytes, ...], values: int) -> _Template | None:
        if values > _MAX_VALUES or sum(map(len, shape)) > MAX_KEPT_HEAD_BYTES:
            return None
        if shape not in self._seen_once:
            if len(self._seen_once) >= MAX_PLANS:
                self._seen_once.clear()
            self._seen_once.add(shape)
            return None
        marks = _SENTINELS[:values]
        pieces = [
            piece + (marks[at // 2] if at % 2 else b"") for at, piece in enumerate(shape)
        ]  # text, name, text, name, …, text
        try:
            template = _template(self._read(b"".join(pieces)), marks)
        except ProtocolError:
            template = None  # the values decide after all: two lengths, for one
        if len(self._templates) >= MAX_PLANS:
            self._templates.clear()
        self._templates[shape] = template
        return template


def _template(plan: RequestPlan, marks: tuple[bytes, ...]) -> _Template | None:
    """None where a value does not pass through in its place, so that it must be looked at."""
    texts = [_slots(text, marks) for text in (plan.fields, plan.head, plan.opening)]
    fields, head, opening = texts
    if fields is None or head is None or opening is None:
        return None
    length = b"%d" % plan.length
    return _Template(
        plan, fields, head, opening,
        marks.index(length) if length in marks else -1,
        marks.index(plan.prediction_id) if plan.prediction_id in marks else -1,
    )  # fmt: skip


def _slots(text: bytes, marks: tuple[bytes, ...]) -> bytes | None:
    """The text with `%b` for each mark; None unless each stands in it once, and in order."""
    if not text:
        return text
    places = [text.find(mark) for mark in marks]
    if min(places) < 0 or places != sorted(places) or any(text.count(m) != 1 for m in marks):
        return None
    text = text.replace(b"%", b"%%")
    for mark in marks:
        text = text.replace(mark, b"%b")
    return text
