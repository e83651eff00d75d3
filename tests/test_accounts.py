"""The accounts of the relay workers: sums over workers and restarts, and no counter ever falls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from monitor.accounts import Accounts, Conversation, Histogram
from monitor.snapshot import Reloads


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


def test_a_worker_with_faulty_certificates_is_heard_and_forgotten_with_the_worker() -> None:
    accounts = Accounts()
    fault = {"certificate_failures": 2, "certificate_fault": "tls.key: no"}
    accounts.report(_message(0, "a", 1), 0.0)
    accounts.report(_message(1, "b", 1, **fault), 0.0)
    assert accounts.traffic(0.0).certificates == Reloads(valid=False, failures=2)
    accounts.report(_message(1, "c", 0, certificate_failures=1, certificate_fault=""), 1.0)
    assert accounts.traffic(1.0).certificates == Reloads(valid=True, failures=3)


def _spoken(
    observed: int, requests: int, came: int, fates: Counter[tuple[str, str]]
) -> Conversation:
    """A worker that started from nothing, reported once, and then sent some exchanges more."""
    conversation = Conversation()
    conversation.reported(_message(0, "a", 0, requests={}, outcomes={}))
    for _ in range(requests):
        conversation.came("200")
    outcomes = {"observed": {"": observed}}
    conversation.reported(_message(0, "a", 0, requests={"200": requests}, outcomes=outcomes))
    for _ in range(came):
        conversation.came("503")
    conversation.told(fates)
    return conversation


def test_what_a_dead_worker_could_not_read_or_report_is_accounted_for() -> None:
    accounts = Accounts()
    fates = Counter({("observed", ""): 9, ("failed", "not_json"): 2})
    conversation = _spoken(observed=4, requests=8, came=3, fates=fates)
    assert conversation.last is not None
    assert conversation.waiting == 0
    accounts.report(conversation.last, 0.0)
    accounts.bury(conversation)
    traffic = accounts.traffic(1.0)
    assert traffic.requests == {"200": 8, "503": 3}
    assert traffic.outcomes == fates
    accounts.report(_message(0, "b", 1), 2.0)  # its successor
    assert accounts.traffic(2.0).outcomes["observed", ""] == 10


@pytest.mark.parametrize("successor_first", [True, False])
def test_exchanges_that_died_with_their_worker_are_dropped(successor_first: bool) -> None:
    accounts = Accounts()
    conversation = _spoken(4, requests=8, came=0, fates=Counter({("observed", ""): 8}))
    lost = _message(0, "a", 0, requests={"200": 10}, outcomes={"observed": {"": 4}})
    conversation.reported(lost)  # two more than ever came
    accounts.report(lost, 0.0)
    successor = _message(0, "b", 0, requests={}, outcomes={})
    if successor_first:
        accounts.report(successor, 1.0)
        accounts.bury(conversation)
    else:
        accounts.bury(conversation)
        accounts.report(successor, 1.0)
    traffic = accounts.traffic(1.0)
    assert traffic.outcomes == {("observed", ""): 8, ("dropped", "relay_lost"): 2}
    assert sum(traffic.requests.values()) == sum(traffic.outcomes.values())


def test_a_worker_that_lives_settles_its_account_itself() -> None:
    accounts = Accounts()
    conversation = _spoken(4, requests=8, came=1, fates=Counter({("observed", ""): 9}))
    assert conversation.last is not None
    accounts.report(conversation.last, 0.0)
    accounts.bury(conversation)
    outcomes = {"observed": {"": 4}, "dropped": {"monitor_lost": 5}}
    accounts.report(_message(0, "a", 0, requests={"200": 9}, outcomes=outcomes), 1.0)
    traffic = accounts.traffic(1.0)
    assert traffic.requests == {"200": 9}
    assert traffic.outcomes == {("observed", ""): 4, ("dropped", "monitor_lost"): 5}
