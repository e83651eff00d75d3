"""The accounts of the relay workers: sums over workers and restarts, and no counter ever falls."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.accounts import Accounts, Histogram


def _message(worker: int, incarnation: str, observed: int, **fields: Any) -> dict[str, Any]:
    return {
        "worker": worker,
        "incarnation": incarnation,
        "requests": {"200": observed},
        "outcomes": {"observed": {"": observed}, "dropped": {"queue_full": 1}},
        "duration": {"bounds": [0.1, 1.0], "counts": [observed, 0, 0], "sum": 0.5},
        "overhead": {"bounds": [0.001], "counts": [0, observed], "sum": 0.25},
        "queue_bytes": 10,
        "connections": 2,
        "accepting": True,
        **fields,
    }


def test_workers_add_up() -> None:
    accounts = Accounts()
    accounts.report(_message(0, "a", 3), 0.0)
    accounts.report(_message(1, "b", 4), 0.0)
    traffic = accounts.traffic(1.0)
    assert traffic.requests == {"200": 7}
    assert traffic.outcomes == {("observed", ""): 7, ("dropped", "queue_full"): 2}
    assert traffic.duration.counts == (7, 0, 0)
    assert traffic.duration.sum == pytest.approx(1.0)
    assert (traffic.queue_bytes, traffic.connections, traffic.workers) == (20, 4, 2)


def test_a_report_replaces_the_workers_last_one() -> None:
    accounts = Accounts()
    for observed in (1, 5, 9):
        accounts.report(_message(0, "a", observed), 0.0)
    assert accounts.traffic(0.0).requests == {"200": 9}


def test_a_restarted_worker_goes_on_from_where_it_died() -> None:
    accounts = Accounts()
    accounts.report(_message(0, "a", 9), 0.0)
    accounts.report(_message(0, "b", 1), 1.0)
    traffic = accounts.traffic(1.0)
    assert traffic.requests == {"200": 10}
    assert (traffic.workers, traffic.connections) == (1, 2)


def test_a_silent_worker_is_not_running_but_still_counts() -> None:
    accounts = Accounts()
    accounts.report(_message(0, "a", 9), 0.0)
    traffic = accounts.traffic(100.0)
    assert traffic.workers == 0
    assert traffic.requests == {"200": 9}


def test_a_worker_that_drains_is_not_accepting() -> None:
    accounts = Accounts()
    accounts.report(_message(0, "a", 9, accepting=False), 0.0)
    assert accounts.traffic(0.0).workers == 0


def test_a_histogram_puts_a_bound_into_its_own_bucket() -> None:
    histogram = Histogram((1.0, 10.0))
    for value in (0.5, 1.0, 5.0, 10.0, 11.0):
        histogram.add(value)
    assert histogram.counts().counts == (2, 2, 1)
    assert histogram.counts().sum == pytest.approx(27.5)
