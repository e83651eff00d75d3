"""One model server a test, and sidecars that are gone when the test is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.sidecar import Model, Sidecar, model, receiver


@pytest.fixture
def served() -> Iterator[Model]:
    with model() as running:
        yield running


@pytest.fixture
def received() -> Iterator[Model]:
    with receiver() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, served: Model) -> Iterator[Callable[..., Sidecar]]:
    running: list[Sidecar] = []

    def starter(*arguments: str, config: str = "") -> Sidecar:
        one = Sidecar(tmp_path, "--upstream", served.url, *arguments, config=config)
        running.append(one)
        return one

    yield starter
    for one in running:
        one.close()
