"""What is kept of one exchange for observation, within its own limit and the tap's, and its one
outcome.

It gives its memory back the moment there is a reason not to observe. Knows nothing of sockets or
framing.
"""

from __future__ import annotations

from random import random
from time import monotonic

from monitor.relay.http1.requests import RequestPlan
from monitor.relay.state import State


class Observation:
    """The copy of one exchange; `reason` says why it is not observed, or "" as long as it is."""

    __slots__ = (
        "_answer", "_answer_bytes", "_dropped", "_first_byte_at", "_limit_bytes", "_plan",
        "_request", "_request_bytes", "_state", "_tap", "prediction_id", "reason",
    )  # fmt: skip

    def __init__(self, state: State, plan: RequestPlan) -> None:
        self._state = state
        self._tap = state.tap
        self._limit_bytes = state.settings.max_body_bytes
        self._plan = plan
        self._dropped = False
        self._request: list[bytes] = []
        self._answer: list[bytes] = []
        self._request_bytes = 0
        self._answer_bytes = 0
        self._first_byte_at = 0.0  # monotonic; of an answer in pieces only
        self.prediction_id = b""
        self.reason = plan.unoffered
        if not self.reason:
            settings = state.settings
            if plan.length > self._limit_bytes:
                self.reason = "size"
            elif settings.sample < 1.0 and random() >= settings.sample:  # noqa: S311 - chance, no secret
                self.reason = "sample"
            else:
                self.prediction_id = plan.prediction_id or state.make_id()

    def add_request(self, payload: bytes) -> None:
        """Keeps a piece of the request's body."""
        if not payload or self.reason or self._dropped:
            return
        size_bytes = self._request_bytes + len(payload)
        if size_bytes > self._limit_bytes or not self._tap.reserve(len(payload)):
            self._let_go(size_bytes)
            return
        self._request_bytes = size_bytes
        self._request.append(payload)

    def add_answer(self, payload: bytes) -> None:
        """Keeps a piece of the answer's body."""
        if not payload or self.reason or self._dropped:
            return
        size_bytes = self._answer_bytes + len(payload)
        if size_bytes > self._limit_bytes or not self._tap.reserve(len(payload)):
            self._let_go(size_bytes)
            return
        if not self._answer_bytes:
            self._first_byte_at = monotonic()
        self._answer_bytes = size_bytes
        self._answer.append(payload)

    def _let_go(self, size_bytes: int) -> None:
        """One body is too large, or all that is under way together is."""
        if size_bytes > self._limit_bytes:
            self.refuse("size")
        else:
            self._dropped = True
            self._free()

    def refuse(self, reason: str) -> None:
        """Keeps nothing of this exchange from here on; the first reason stands."""
        if not self.reason:
            self.reason = reason
        self.prediction_id = b""
        self._free()

    def _free(self) -> None:
        held_bytes = self._request_bytes + self._answer_bytes
        if held_bytes:
            self._tap.release(held_bytes)
            self._request_bytes = self._answer_bytes = 0
            self._request = []
            self._answer = []

    def settle(
        self, outcome: tuple[int, float, float], answer_fields: bytes, whole_answer: bytes
    ) -> None:
        """Books the one outcome; `outcome` is status, Unix seconds of the start, and duration.

        `whole_answer` is a body that came in one piece, and so was never added.
        """
        if self.reason:
            self._state.counters.skipped[self.reason] += 1
            self._free()
        elif self._dropped:
            self._state.counters.dropped["queue_full"] += 1
        else:
            plan = self._plan
            request, answer = b"".join(self._request), whole_answer or b"".join(self._answer)
            self._free()
            first_byte_seconds = 0.0
            if self._first_byte_at:
                first_byte_at = self._first_byte_at + self._state.wall_offset_seconds
                first_byte_seconds = first_byte_at - outcome[1]
            self._tap.offer(
                self.prediction_id, plan.method, plan.target, (*outcome, first_byte_seconds),
                (plan.fields, request), (answer_fields, answer),
            )  # fmt: skip
