"""One request and its answer: a client's connection joined with an upstream's, and one outcome.

Decides nothing about framing (`http1` did) and reads no socket: it is told what came.
"""

from __future__ import annotations

from time import monotonic

from monitor.relay.client import Client
from monitor.relay.http1.answers import AnswerPlan, frame_answer
from monitor.relay.http1.chunks import encode_chunk
from monitor.relay.http1.grammar import HEAD_END, ProtocolError
from monitor.relay.http1.requests import CHUNKED, RequestPlan
from monitor.relay.observation import Observation
from monitor.relay.refusals import refusal
from monitor.relay.state import State
from monitor.relay.upstream import UpstreamConnection

CLIENT_GONE_STATUS = 499  # nginx's number for a client that left before its answer
MAX_INTERIM_ANSWERS = 100
X_PREDICTION_ID = b"\r\nx-prediction-id: "
_JOIN_BYTES = 64 << 10  # up to here one copy is cheaper than a vector of buffers


class Transaction:
    """The life of one request, from its head to its outcome."""

    __slots__ = (
        "_answer", "_answer_complete", "_chunked", "_client", "_close", "_interims", "_observation",
        "_overhead_seconds", "_plan", "_retried", "_started", "_state", "_unsent", "head_only",
        "over", "request_complete", "upstream",
    )  # fmt: skip

    def __init__(self, state: State, client: Client, plan: RequestPlan, started: float) -> None:
        self._state = state
        self._client = client
        self._plan = plan
        self._started = started
        self._observation = Observation(state, plan)
        self._overhead_seconds = 0.0
        self._unsent: tuple[bytes, ...] = ()
        self._answer: AnswerPlan | None = None
        self._answer_complete = self._chunked = self._close = self._retried = self.over = False
        self._interims = 0
        self.upstream: UpstreamConnection | None = None
        self.head_only = plan.method == b"HEAD"

    # -- the request

    def open(self, payload: bytes, *, complete: bool) -> None:
        """Sends the head and what came of the body upstream, or waits for a connection."""
        plan, observation = self._plan, self._observation
        self.request_complete = complete
        observation.add_request(payload)
        if plan.length == CHUNKED:
            payload = encode_chunk(payload, last=complete)
        parts: tuple[bytes, ...]
        if observation.prediction_id and not plan.prediction_id:
            parts = (plan.opening, observation.prediction_id, HEAD_END, payload)
        else:
            parts = (plan.head, payload)
        upstream = self._state.pool.take()
        if upstream is not None:
            if plan.retriable:
                self._unsent = parts
            self._begin(upstream, parts)
        else:
            self._unsent = parts
            if not complete:
                self._client.hold()
            self._state.pool.connect(self)
        self._overhead_seconds = monotonic() - self._started

    def _begin(self, upstream: UpstreamConnection, parts: tuple[bytes, ...]) -> None:
        self.upstream = upstream
        if self._client.write_paused:
            upstream.pause_reading()
        upstream.begin(self, parts)

    def request_data(self, payload: bytes, *, complete: bool) -> None:
        """Sends more of the request's body on, unless the answer has made it pointless."""
        self.request_complete = complete
        self._observation.add_request(payload)
        if self._plan.length == CHUNKED:
            payload = encode_chunk(payload, last=complete)
        if self.upstream is None:
            self._unsent += (payload,)
        elif payload:
            self.upstream.transport.write(payload)
        if complete and self._answer_complete:
            self._finish()

    # -- the answer

    def connected(self, upstream: UpstreamConnection) -> None:
        """Sends what waited for a connection; without a client any more, the next one can have
        it.
        """
        if self.over:
            self._state.pool.give(upstream, self._state.now_seconds)
            return
        unsent = self._unsent
        if not self._plan.retriable:
            self._unsent = ()
        self._begin(upstream, unsent)
        self._client.unhold()

    def unreachable(self, code: str, detail: str) -> None:
        """The model server is not there, or is not whom it should be."""
        if not self.over:
            status = 504 if code == "upstream_timeout" else 502
            self.fail(status, code, f"the upstream cannot be reached: {detail}")

    def upstream_full(self) -> None:
        """Back-pressure."""
        self._client.hold()

    def upstream_drained(self) -> None:
        """The client may go on."""
        self._client.active_at_seconds = self._state.now_seconds
        self._client.unhold()

    def interim(self, plan: AnswerPlan) -> None:
        """Passes 1xx on, but not to HTTP/1.0 (RFC 9110 section 15.2), nor without end."""
        self._interims += 1
        if not self._plan.http10 and self._interims <= MAX_INTERIM_ANSWERS:
            self._client.transport.write(plan.lead + HEAD_END)

    def answered(self, plan: AnswerPlan, payload: bytes, started: float) -> None:
        """Writes the head as this client must get it, with what is there of the body."""
        self._answer = plan
        upstream = self.upstream
        if upstream is None:
            return
        client, observation, status = self._client, self._observation, plan.status
        if not 200 <= status < 300:
            observation.refuse("status")
            if status == 101:
                self._switch(plan, upstream)
                return
        elif plan.length > self._state.settings.max_body_bytes:
            observation.refuse("size")
        complete = upstream.reader.complete
        whole = payload if complete and plan.length > 0 else b""
        if not whole:
            observation.add_answer(payload)
        client.active_at_seconds = self._state.now_seconds
        reusable = self.request_complete or plan.keep_alive
        self._close = close = client.last_answer or self._state.closing or not reusable
        prediction_id = observation.prediction_id
        parts: tuple[bytes, ...]
        if plan.length > 0 and prediction_id and not close:  # what nearly every answer is
            parts = (plan.unnamed, X_PREDICTION_ID, prediction_id, HEAD_END, payload)
        else:
            parts = self._framed(plan, payload, complete=complete)
        if len(payload) <= _JOIN_BYTES:
            client.transport.write(b"".join(parts))
        else:
            client.transport.writelines(parts)
        self._overhead_seconds += monotonic() - started
        if complete:
            self._answer_ended(whole)

    def _framed(self, plan: AnswerPlan, payload: bytes, *, complete: bool) -> tuple[bytes, ...]:
        """The same for every other answer."""
        head, self._chunked, self._close = frame_answer(
            plan,
            prediction_id=self._observation.prediction_id,
            head_only=self.head_only,
            http10=self._plan.http10,
            close=self._close,
        )
        return head, encode_chunk(payload, last=complete) if self._chunked else payload

    def _switch(self, plan: AnswerPlan, upstream: UpstreamConnection) -> None:
        """101: the connection is no longer HTTP's, if that is what was asked for."""
        if not self._plan.upgrade:
            self._answer = None
            self.fail(502, "upstream_protocol", "the upstream switched protocols unasked")
            return
        self._client.transport.write(plan.lead + HEAD_END)
        self.upstream = None
        self._observation.reason = "upgrade"
        self._settle(101)
        upstream.caller = None
        self._client.become_tunnel(upstream.transport, upstream.reader.rest)

    def answer_data(self, payload: bytes) -> None:
        """Writes more of the answer's body."""
        upstream = self.upstream
        if upstream is None:
            return
        complete = upstream.reader.complete
        client = self._client
        client.active_at_seconds = self._state.now_seconds
        self._observation.add_answer(payload)
        if self._chunked:
            payload = encode_chunk(payload, last=complete)
        if payload:
            client.transport.write(payload)
        if complete:
            self._answer_ended()

    def _answer_ended(self, whole: bytes = b"") -> None:
        """An early answer leaves the request to be sent to its end, if the upstream reads on."""
        self._answer_complete = True
        if self.request_complete or self._close:
            self._finish(whole)
        else:
            self._observation.add_answer(whole)

    def upstream_fault(self, error: ProtocolError) -> None:
        """What the upstream sent cannot be read."""
        self.fail(502, "upstream_protocol", f"the upstream's answer is not HTTP/1.1: {error}")

    def upstream_lost(self) -> None:
        """The upstream closed; a stale connection is replaced once, for what may be sent again."""
        upstream, self.upstream = self.upstream, None
        if upstream is None:
            return
        silent = self._answer is None and upstream.reader.idle and not self._interims
        if silent and upstream.reused and self._plan.retriable and not self._retried:
            self._retried = True
            self._state.pool.connect(self)
        else:
            self.fail(502, "upstream_reset", "the upstream closed the connection before its answer")

    # -- how it ends

    def _finish(self, whole: bytes = b"") -> None:
        """The answer went out whole; the connections go on or not."""
        upstream, self.upstream = self.upstream, None
        answer, complete = self._answer, self.request_complete
        if upstream is not None:
            if self._client.write_paused:
                upstream.resume_reading()
            if complete and answer is not None and answer.keep_alive and upstream.clean:
                self._state.pool.give(upstream, self._state.now_seconds)
            else:
                upstream.drop()
        if not complete:
            self._observation.refuse("aborted")
        self._settle(answer.status if answer is not None else 0, whole)
        self._client.finished(close=self._close or not complete)

    def fail(self, status: int, code: str, detail: str) -> None:
        """Answers with an error of the relay's own; an answer that had begun is cut short."""
        if self._answer_complete:
            self._close = True
            self._finish()
            return
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.drop()
        if self._answer is not None:
            self._observation.refuse("aborted")
            self._settle(self._answer.status)
            self._client.truncate(reset=not (self._chunked or self._answer.length >= 0))
            return
        close = self._client.last_answer or self._state.closing or not self.request_complete
        self._observation.refuse("status")
        self._settle(status)
        self._client.transport.write(
            refusal(status, code, detail, close=close, head_only=self.head_only)
        )
        self._client.finished(close=close)

    def client_gone(self) -> None:
        """Nobody waits any more: the upstream is told by its connection's end."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.drop()
        if not self.over:
            self._observation.refuse("aborted")
            self._settle(self._answer.status if self._answer else CLIENT_GONE_STATUS)

    def stalled(self) -> None:
        """Nothing has moved for too long; a model that has not begun to answer is never hurried."""
        if self._answer is None and self.request_complete:
            return
        if self._answer is not None or (self.upstream is not None and self.upstream.write_paused):
            self.fail(504, "upstream_timeout", "the upstream stopped reading the request")
        else:
            self.fail(408, "request_timeout", "the rest of the request did not come")

    @property
    def waits_for_model(self) -> bool:
        """Whether not a byte of an answer has gone to the client yet."""
        return self._answer is None and not self._plan.http10

    def _settle(self, status: int, whole: bytes = b"") -> None:
        """Books the one outcome."""
        self.over = True
        duration_seconds = monotonic() - self._started
        self._state.counters.settle(status, duration_seconds, self._overhead_seconds)
        started_at = self._started + self._state.wall_offset_seconds
        fields = b"" if self._answer is None else self._answer.fields
        self._observation.settle((status, started_at, duration_seconds), fields, whole)
