"""The scenarios of `benchmarks/chaos.py` that need no quiet machine, in small: what must hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.chaos import play
from benchmarks.faults import limits, processes, upstream
from benchmarks.faults.stage import Stage

pytestmark = pytest.mark.end_to_end

SEED = 20_261_123


@pytest.mark.parametrize(
    "scenario",
    [
        processes.relay_killed,
        processes.second_term,
        upstream.broken_answers,
        limits.connection_cap,
        limits.files_exhausted,
        limits.large_bodies,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_it_holds(scenario: Callable[[Stage], None]) -> None:
    checks = play(scenario, SEED, quick=True)
    # Seconds are judged by the benchmark alone: here other tests may have the machine.
    broken = [check for check in checks if not check.held and not check.timing]
    assert checks
    assert not broken
