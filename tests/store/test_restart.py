"""Counts of labels over a restart, with a shared database: the same as with a file."""

from __future__ import annotations

import asyncio

import pytest

from tests.service.test_continuity import ENDS, restarted
from tests.store.conftest import emptied
from tests.store.postgresql import Server


@pytest.mark.parametrize("end", list(ENDS)[2:])
def test_a_restart_tells_the_same_of_labels(postgresql: Server, end: str) -> None:
    asyncio.run(restarted(emptied(postgresql), "regression", ENDS[end]))
