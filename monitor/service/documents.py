"""Small documents kept in the store without waiting: the newest of each key wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from monitor.errors import StoreError
from monitor.store.protocol import Store
from monitor.store.writer import StoreWriter

log = structlog.get_logger()


class Documents:
    """Saves on the event loop: what changes again while a save is under way is saved once more."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self._changed: dict[str, object] = {}
        self._task: asyncio.Task[None] | None = None

    async def load(self, key: str) -> dict[str, Any] | None:
        """The document, or None where there is none or the store cannot give it now."""
        try:
            document = await self._writer.ask(lambda store: store.get_document(key))
        except StoreError as error:
            log.warning("cannot load a document", key=key, error=str(error))
            return None
        return document if isinstance(document, dict) else None

    async def load_all(self, prefix: str) -> dict[str, Any]:
        """The documents whose keys begin like this; none where the store cannot give them now."""
        try:
            return await self._writer.ask(lambda store: store.documents(prefix))
        except StoreError as error:
            log.warning("cannot load documents", prefix=prefix, error=str(error))
            return {}

    def saver(self, key: str) -> Callable[[dict[str, Any]], None]:
        """A function that saves under `key`."""

        def save(document: dict[str, Any]) -> None:
            self.save(key, document)

        return save

    def save(self, key: str, document: object) -> None:
        """Have it saved soon, after everything that was given before it.

        So what an alert's receivers have still to be told is kept before the note that they were
        given it.
        """
        self._changed.pop(key, None)
        self._changed[key] = document
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._save_all())

    async def settled(self) -> None:
        """Wait until everything that changed is saved."""
        if self._task is not None:
            await self._task

    async def _save_all(self) -> None:
        while self._changed:
            key = next(iter(self._changed))
            document = self._changed.pop(key)
            try:
                await self._writer.ask(partial(_put, key, document))
            except StoreError as error:
                log.warning("cannot save a document", key=key, error=str(error))


def _put(key: str, document: object, store: Store) -> None:
    store.put_document(key, document)
