"""The one thread that uses the store, and its face towards asyncio.

Knows neither the database nor what joins are for. Labels that arrive together are committed
together, and acknowledged only then; predictions that cannot be kept are dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome
from monitor.store.age import Age
from monitor.store.answers import Answer, split
from monitor.store.counts import WriterCounts
from monitor.store.protocol import Erased, Expired, JoinReport, Store, Stored
from monitor.store.rounds import Call, LabelRequest, Round, WriterLimits, WriterQueue

_EXPIRE_EVERY_SECONDS = 30.0
_UNLOOKED_ROWS = 200_000  # kept since the last look at what is to be forgotten
_EXPIRE_PAUSE_SECONDS = 0.01  # at least, while there is more: others come in between
_NEWS_EVERY_SECONDS = 1.0  # how late a label that was posted to another replica may count

Finish = Callable[[], None]
T = TypeVar("T")


class StoreWriter:
    """Predictions and labels into a store, from an event loop, without ever holding it up.

    `on_joined` is called on the loop with every join and correction, before the label's sender is
    answered: the only place to count joins from, because a sender may be gone by then. `on_entries`
    is called next, with the journal's entries that say the same.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        on_joined: Callable[[Sequence[Joined]], None],
        *,
        on_entries: Callable[[Sequence[int]], None] = lambda _: None,
        hears: bool = True,
        limits: WriterLimits = WriterLimits(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_store = open_store
        self._on_joined = on_joined
        self._on_entries = on_entries
        self._clock = clock
        self.hears = hears  # what other replicas did to this one's predictions
        self._queue = WriterQueue(limits)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._store: Store | None = None
        self._refused_rows = 0  # written by the loop; all below by the thread
        self._lost_rows = 0
        self._errors = 0
        self._error = ""
        self._conflicts = 0
        self._erased = 0
        self._expired = 0
        self._unlooked = 0
        self._outcomes = dict.fromkeys(Outcome, 0)
        self._held = (0, 0)
        self._age = Age(clock)

    def start(self) -> None:
        """Start the thread, from inside the loop that is to be served; it opens the store by
        itself.
        """
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def remember(self, batch: Batch) -> bool:
        """Keep predictions, soon; False, and counted as dropped, where too many wait already."""
        taken = self._queue.put_batch(batch, time.monotonic())
        if not taken:
            self._refused_rows += len(batch)
        return taken

    @property
    def queued_rows(self) -> int:
        """Predicted rows that wait."""
        return self._queue.rows

    async def join(self, labels: Sequence[Label]) -> JoinReport:
        """Keep labels; on the disk when this returns, and on StoreError not acknowledged at all.

        The report's `joined` is empty: joins are told through `on_joined`.
        """
        answer = Answer()
        if not self._queue.put_request(LabelRequest(labels, answer.give, answer.fail)):
            raise StoreError("too many labels wait for the store")
        report: JoinReport = await answer.future
        return report

    async def prediction(self, prediction_id: str) -> list[Stored]:
        """All rows of a request with their labels."""
        return await self.ask(lambda store: store.prediction(prediction_id))

    async def erase(self, prediction_id: str) -> Erased:
        """Delete all of an id, for good; on the disk when this returns."""

        def ask(store: Store) -> Erased:
            erased = store.erase(prediction_id, self._clock())
            self._tell(erased.joined)
            return erased

        return await self.ask(ask)

    async def revoke(self, source: str) -> int:
        """Take out all labels of a source that were received until now; how many there were."""
        until = self._clock()
        labels = 0
        at: int | None = 0
        while at is not None:
            taken, at = await self.ask(partial(self._revoke_step, source, until, at))
            labels += taken
        return labels

    def _revoke_step(
        self, source: str, until: float, at: int, store: Store
    ) -> tuple[int, int | None]:
        revoked = store.revoke(source, until, at)
        self._tell(revoked.joined)
        return revoked.labels, revoked.at

    def counts(self) -> WriterCounts:
        """How things stand; from any thread, at once."""
        rows, parked = self._held
        return WriterCounts(
            rows=rows,
            parked=parked,
            queued_rows=self._queue.rows,
            errors=self._errors,
            dropped_rows=self._refused_rows + self._lost_rows,
            conflicts=self._conflicts,
            erased_rows=self._erased,
            expired_predictions=self._expired,
            outcomes=dict(self._outcomes),
            error=self._error,
        )

    async def stop(self, timeout_seconds: float = 10.0) -> None:
        """Keep what waits, close the store, end the thread; give up what takes longer than that."""
        self._queue.close()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, timeout_seconds)

    async def ask(self, use: Callable[[Store], T]) -> T:
        """Whatever the store says to it, in its thread and in its turn."""
        answer = Answer()
        if not self._queue.put_call(Call(use, answer.give, answer.fail)):
            raise StoreError("the store is closed, or too much waits for it")
        result: T = await answer.future
        return result

    def _run(self) -> None:
        expire_at = news_at = time.monotonic()
        last = False
        while not last:
            taken = self._queue.take(time.monotonic, min(expire_at, news_at))
            last = taken.last
            self._work(taken)
            if time.monotonic() >= news_at:
                self._hear()
                news_at = time.monotonic() + _NEWS_EVERY_SECONDS
            began = time.monotonic()
            if began >= expire_at or self._unlooked >= _UNLOOKED_ROWS:
                self._unlooked = 0
                expired = self._expire()
                ended = time.monotonic()
                # Half of the time at most; without room, a step for each round that is kept.
                pause = 0.0 if expired.over else max(ended - began, _EXPIRE_PAUSE_SECONDS)
                expire_at = ended + (pause if expired.more else _EXPIRE_EVERY_SECONDS)
        if self._store is not None:
            self._store.close()

    def _work(self, taken: Round) -> None:
        if taken.batches:
            self._remember(taken.batches)
        if taken.requests:
            self._join(taken.requests)
        for call in taken.calls:
            self._answer(call)

    def _answer(self, call: Call) -> None:
        def ask(store: Store) -> Finish:
            result = call.ask(store)

            def answer() -> None:
                self._tell(())
                call.done(result)

            return answer

        self._attempt(ask, call.failed)

    def _remember(self, batches: list[Batch]) -> None:
        def keep(store: Store) -> Finish:
            kept = store.remember(batches)
            self._unlooked += sum(map(len, batches))
            self._conflicts += kept.conflicts
            self._erased += kept.erased
            self._outcomes[Outcome.JOINED] += len(kept.joined)  # they were pending until now
            return lambda: self._tell(kept.joined)

        def lose(error: Exception) -> None:
            if len(batches) > 1 and not isinstance(error, StoreError):
                for batch in batches:  # one of them is malformed: the others need not go with it
                    self._remember([batch])
            else:
                self._lost_rows += sum(len(batch) for batch in batches)

        self._attempt(keep, lose)

    def _join(self, requests: list[LabelRequest]) -> None:
        def keep(store: Store) -> Finish:
            report = store.join([label for request in requests for label in request.labels])
            for outcome in report.outcomes:
                self._outcomes[outcome] += 1

            def answer() -> None:
                self._tell(report.joined)
                for request, part in zip(requests, split(report, requests), strict=True):
                    request.done(part)

            return answer

        def refuse(error: Exception) -> None:
            if len(requests) > 1 and not isinstance(error, StoreError):
                for request in requests:
                    self._join([request])
            else:
                for request in requests:
                    request.failed(error)

        self._attempt(keep, refuse)

    def _hear(self) -> None:
        """What other replicas did to this one's predictions, where there are others."""
        if self._store is None or not (self._store.shared and self.hears):
            return

        def hear(store: Store) -> Finish:
            news = store.news()
            return lambda: self._tell(news)

        self._attempt(hear, lambda _: None)

    def _expire(self) -> Expired:
        """One step of forgetting."""
        expired = Expired()

        def forget(store: Store) -> Finish:
            nonlocal expired
            expired = store.expire(self._age.now(time.monotonic()))
            self._expired += expired.predictions
            self._outcomes[Outcome.ORPHANED] += expired.orphaned
            return lambda: None

        self._attempt(forget, lambda _: None)
        return expired

    def _attempt(self, use: Callable[[Store], Finish], failed: Callable[[Exception], None]) -> None:
        """Use the store, opening it if need be; what goes wrong is counted, and ends only this.

        What `use` returns is done last, so that whoever is answered finds the counts brought up.
        """
        try:
            if self._store is None:
                self._store = self._open_store()
            finish = use(self._store)
        except Exception as error:  # noqa: BLE001 - the thread must outlive every fault
            self._errors += 1
            self._error = str(error) or type(error).__name__
            failed(error)
        else:
            self._error = ""
            self._held = (self._store.rows(), self._store.parked())
            finish()

    def _tell(self, joined: Sequence[Joined]) -> None:
        entries = self._store.told() if self._store is not None else ()
        if (joined or entries) and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody counts any more
                self._loop.call_soon_threadsafe(self._told, joined, entries)

    def _told(self, joined: Sequence[Joined], entries: Sequence[int]) -> None:
        if joined:
            self._on_joined(joined)
        self._on_entries(entries)
