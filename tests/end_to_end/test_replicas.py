"""Two sidecars that share a PostgreSQL database: a label reaches either, and counts at one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.sidecar import Model, Sidecar
from tests.store.postgresql import Server, missing, server

pytestmark = pytest.mark.end_to_end

CONFIG = "window: {min_rows: 2}\nmodel: {task: regression}\n"


@pytest.fixture
def database() -> Iterator[Server]:
    if why := missing():
        pytest.skip(why)
    with server() as running:
        yield running


def realised(sidecar: Sidecar) -> tuple[int, float | None]:
    found = sidecar.json("/api/v1/performance")["realised"]
    return found["rows"], found.get("mae")


def test_labels_posted_to_the_wrong_replica_count_once_at_the_right_one(
    database: Server, served: Model, tmp_path: Path
) -> None:
    config = f"store: {database.dsn}\n{CONFIG}"
    replicas: list[Sidecar] = []
    try:
        for name in "ab":
            (tmp_path / name).mkdir()
            replicas.append(Sidecar(tmp_path / name, "--upstream", served.url, config=config))
        first, second = replicas
        first.predict([1, 2, 3], **{"x-request-id": "one"})
        second.predict([1, 2], **{"x-request-id": "two"})
        first.wait(lambda: first.get("/api/v1/predictions/one")[0] == 200)
        second.wait(lambda: second.get("/api/v1/predictions/two")[0] == 200)
        _, report = first.feedback(
            [{"prediction_id": "one", "labels": [3, 5, 7]}, {"prediction_id": "two", "label": 4}]
        )
        assert report["joined"] == 4
        _, report = first.feedback({"prediction_id": "two", "row": 1, "label": 6})
        assert report["joined"] == 1
        first.wait(lambda: realised(first) == (3, 1.0))
        second.wait(lambda: realised(second) == (2, 2.0))
        second.feedback({"prediction_id": "one", "label": 6, "row": 0})  # predicted 2: off by 4
        first.wait(lambda: realised(first) == (3, 2.0))
        assert realised(second) == (2, 2.0)
    finally:
        for one in replicas:
            one.close()


def test_a_database_that_is_away_costs_no_request_and_loses_no_acknowledged_label(
    database: Server, start: Callable[..., Sidecar]
) -> None:
    sidecar = start(config=f"store: {database.dsn}\n{CONFIG}timeouts: {{store: 1s, drain: 0s}}\n")
    sidecar.predict([1, 2], **{"x-request-id": "before"})
    sidecar.wait(lambda: sidecar.get("/api/v1/predictions/before")[0] == 200)
    assert sidecar.feedback({"prediction_id": "before", "label": 3})[0] == 202
    item = {"prediction_id": "before", "row": 1, "label": 5}
    for away, back in ((database.freeze, database.thaw), (database.kill, database.start)):
        away()
        for number in range(20):
            assert sidecar.predict([number])[0] == 200
        status, answer = sidecar.feedback(item)
        assert (status, "error" in answer) == (503, True)
        assert sidecar.get("/readyz")[0] == 200
        back()
        sidecar.wait(lambda: sidecar.feedback(item)[0] == 202)
    sidecar.wait(lambda: realised(sidecar) == (2, 1.0))
    assert sidecar.json("/api/v1/health")["store"]["errors"] > 0

    def all_kept_or_counted() -> bool:
        store = sidecar.json("/api/v1/health")["store"]
        return bool(store["rows"] + store["dropped_rows"] == 2 + 2 * 20)

    sidecar.wait(all_kept_or_counted)
