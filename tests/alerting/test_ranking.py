"""Which column is to be looked at first."""

from __future__ import annotations

from monitor.alerting.ranking import ranked
from monitor.snapshot import Reading, Status


def _reading(name: str, status: Status, score: float | None, importance: float | None) -> Reading:
    return Reading(
        name, "feature", "numeric", status, "wasserstein", 100, score, 0.1, importance=importance
    )


def test_severity_comes_first_and_then_drift_times_importance() -> None:
    drift, ok = Status.DRIFT, Status.OK
    readings = [
        _reading("calm", ok, 0.05, 1.0),
        _reading("far, and of no matter", drift, 2.0, 0.01),
        _reading("near, and of weight", drift, 0.3, 0.9),
        _reading("nobody knows", drift, 0.3, None),
        _reading("nothing", Status.INSUFFICIENT, None, 1.0),
        _reading("warned", Status.WARNING, 0.2, 0.5),
    ]
    found = ranked(readings)
    assert [one.column for one in found] == [one.column for one in readings]
    order = [one.column for one in sorted(found, key=lambda one: one.rank)]
    assert order == [
        "near, and of weight", "nobody knows", "far, and of no matter", "warned", "calm", "nothing"
    ]  # fmt: skip
    assert sorted(one.rank for one in found) == [1, 2, 3, 4, 5, 6]
    assert ranked([]) == ()
