"""Documents: saved in the order in which they were given last, the newest of each key alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from monitor.service.documents import Documents
from monitor.store.writer import StoreWriter


class Slow:
    """Keeps documents one after another, each a turn of the loop later."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, object]] = []

    async def ask(self, use: Callable[[Slow], None]) -> None:
        await asyncio.sleep(0)
        use(self)

    def put_document(self, key: str, document: object) -> None:
        self.kept.append((key, document))


def test_an_outbox_is_kept_before_the_ledger_that_filled_it() -> None:
    slow = Slow()

    async def play() -> None:
        documents = Documents(cast("StoreWriter", slow))
        looks: list[dict[str, Any]] = [{"look": 1}, {"look": 2}]
        for look in looks:
            documents.saver("outbox")(look)
            documents.save("ledger", look)
        await documents.settled()

    asyncio.run(play())
    assert slow.kept == [("outbox", {"look": 2}), ("ledger", {"look": 2})]


def test_what_changes_during_a_save_is_saved_once_more() -> None:
    slow = Slow()

    async def play() -> None:
        documents = Documents(cast("StoreWriter", slow))
        documents.save("ledger", 1)
        await asyncio.sleep(0)  # the save of 1 is under way
        documents.save("outbox", 2)
        documents.save("ledger", 2)
        await documents.settled()

    asyncio.run(play())
    assert slow.kept == [("ledger", 1), ("outbox", 2), ("ledger", 2)]
