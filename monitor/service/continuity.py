"""What was counted of labels, over a restart: a checkpoint now and then, and at a start the last
one with what the store's journal tells since.

Where there is no such checkpoint, labels are counted anew from the rows, beside traffic; until that
is done no figure of them is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import structlog

from monitor.engine import Engine
from monitor.errors import StoreError
from monitor.performance.checkpoint import (
    PREFIX,
    Checkpoints,
    Kept,
    counted,
    is_whole,
    read,
    take_up,
)
from monitor.performance.kept import Counted
from monitor.records.label import Joined
from monitor.store.protocol import Store
from monitor.store.writer import StoreWriter

log = structlog.get_logger()

SAVE_SECONDS = 5.0
MANY_LABELS = 10_000  # that only the journal has: a checkpoint is due at once
SAVE_SHARE = 0.05  # of the loop's time that checkpoints may take
AT_ONCE = 1000  # labels, between two turns of the loop
PIECE = 5000  # labels read at once from the rows
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Found:
    """What a start finds: a checkpoint, and the joins since; or every join, from the rows."""

    kept: Kept | None
    joined: Sequence[Joined]
    rows: Iterator[Joined] | None


class Continuity:
    """Keeps one engine's counts in its store; what is told meanwhile is counted exactly once."""

    def __init__(
        self, writer: StoreWriter, engine: Engine, model: tuple[str, str], window_seconds: float
    ) -> None:
        self._writer = writer
        self._engine = engine
        self._model = model
        self._window_seconds = window_seconds
        self._from_rows = False  # once it had to be, also where that failed and is tried again
        self._checkpoints = Checkpoints()
        self._entries: list[int] = []  # of the journal: counted, and in no checkpoint
        self._labels = 0
        self._pause = SAVE_SECONDS
        self._saved_at = time.monotonic()
        self._saving: asyncio.Task[None] | None = None
        self._restoring: asyncio.Task[None] | None = None

    def told(self, entries: Sequence[int]) -> None:
        """Note the entries of joins that were counted just now."""
        self._entries += entries

    def joined(self, labels: int) -> None:
        """Note how many labels were counted."""
        self._labels += labels

    async def resume(self) -> None:
        """Take up the last checkpoint; ask before anything else is asked of the store."""
        self._hide(True)
        if not await self._try():
            self._restoring = asyncio.create_task(self._until_resumed())

    def save_if_due(self) -> None:
        """A checkpoint, where one is due and none is under way."""
        due = time.monotonic() - self._saved_at > self._pause or self._labels > MANY_LABELS
        if due and (self._saving is None or self._saving.done()):
            self._saving = asyncio.get_running_loop().create_task(self.save())

    async def save(self) -> None:
        """Write a checkpoint, unless what is counted is not whole yet."""
        if self._engine.desk.restoring or self._engine.desk.realised is None:
            return
        began = time.perf_counter()
        documents = self._checkpoints.documents(self._counted())
        self._pause = max(SAVE_SECONDS, (time.perf_counter() - began) / SAVE_SHARE)
        entries, self._entries, self._labels = self._entries, [], 0
        self._saved_at = time.monotonic()
        try:
            await self._writer.ask(lambda store: store.checkpoint(documents, entries))
        except StoreError as error:
            self._entries = entries + self._entries
            self._checkpoints.forget()
            log.warning("what was counted of labels cannot be kept", error=str(error))

    async def stop(self) -> None:
        """End what is under way, and write a last checkpoint."""
        if self._restoring is not None:
            self._restoring.cancel()
        if self._saving is not None:
            await self._saving
        await self.save()

    async def _until_resumed(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if await self._try():
                return

    async def _try(self) -> bool:
        """Whether the store could say what it has."""
        since = time.time() - self._window_seconds
        now = self._counted()
        try:
            found = await self._writer.ask(partial(self._find, now, since))
        except StoreError as error:
            log.warning("labels of the window cannot be restored yet", error=str(error))
            return False
        self._writer.hears = True
        labels = found.rows is None
        if found.kept is not None and not self._take_up(found.kept, now, labels=labels) and labels:
            self._from_rows = True
            return False
        if found.rows is None:
            await self._count(found.joined)
            self._hide(False)
            log.info("labels restored", since_checkpoint=len(found.joined))
        else:
            self._restoring = asyncio.create_task(self._read(found.rows))
        return True

    def _find(self, now: Counted, since: float, store: Store) -> _Found:
        """In the store's thread and in one turn, so that nothing is told in between."""
        resumed = store.resume(PREFIX)
        kept = read(resumed.documents)
        whole = kept is not None and resumed.joined is not None and is_whole(kept, now)
        if whole and not self._from_rows:
            return _Found(kept, resumed.joined or (), None)
        self._from_rows = True
        return _Found(kept, (), store.joined_since(since))

    def _take_up(self, kept: Kept, now: Counted, *, labels: bool) -> bool:
        try:
            panes = take_up(kept, now, labels=labels)
        except ValueError as error:
            log.warning("what was counted cannot be read", error=str(error))
            return False
        log.info("what was counted is restored", panes=panes)
        return True

    async def _read(self, rows: Iterator[Joined]) -> None:
        labels = 0
        try:
            while piece := await asyncio.to_thread(_piece, rows):
                await self._count(piece)
                labels += len(piece)
        except StoreError as error:
            log.warning("labels of the window cannot be restored", error=str(error))
            # A part of a window looks like a whole one: nothing is told until it has passed.
            await asyncio.sleep(self._window_seconds)
        self._hide(False)
        log.info("labels restored from the rows", labels=labels)

    async def _count(self, joined: Sequence[Joined]) -> None:
        for at in range(0, len(joined), AT_ONCE):
            self._engine.label(joined[at : at + AT_ONCE], restored=True)
            await asyncio.sleep(0)

    def _hide(self, hidden: bool) -> None:  # noqa: FBT001 - the fact itself
        self._engine.desk.restoring = hidden
        if self._engine.labels is not None:
            self._engine.labels.restoring = hidden

    def _counted(self) -> Counted:
        reference = self._engine.reference
        digest = reference.digest if reference else ""
        return counted(self._model, self._engine.desk, self._engine.labels, digest)


def _piece(rows: Iterator[Joined]) -> list[Joined]:
    return list(islice(rows, PIECE))
