"""Every kind of column through the decision: calm rows say nothing, and each change is named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile import reference as files
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference
from monitor.snapshot import Reading, Status

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
POLICY = DriftPolicy()
WIDTH = 24
TURN = np.random.default_rng(5).normal(size=(WIDTH, WIDTH)) * (0.8 ** np.arange(WIDTH))[:, None]


def draw(seed: int, rows: int = 1000, correlation: float = 0.8) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows))
    lengths, offsets = random.integers(3, 12, rows), random.integers(0, 60 * 24, rows)
    return {
        "a": a.tolist(),
        "b": (correlation * a + np.sqrt(1 - correlation**2) * b).tolist(),
        "review": [" ".join(f"word{w}" for w in random.integers(0, 999, n)) for n in lengths],
        "departure": [(START + dt.timedelta(hours=int(h))).isoformat() for h in offsets],
        "embedding": (random.normal(size=(rows, WIDTH)) @ TURN).tolist(),
        "user": [f"user-{i}" for i in random.integers(0, 5000, rows)],
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    built = build_from_columns(Rows(draw(0, 6000), {}), created_at=0.0)
    return files.parse(files.render(built))


@pytest.fixture(scope="module")
def judge(reference: Reference) -> Judge:
    return Judge(reference)


def read(reference: Reference, judge: Judge, table: dict[str, list[Any]]) -> dict[str, Reading]:
    counted = reference.layout.count(table, {})
    readings = judge.readings(counted.counts, POLICY, counted.details)
    return {reading.column: reading for reading in readings}


def moved(found: dict[str, Reading]) -> set[str]:
    return {name for name, reading in found.items() if reading.status is Status.DRIFT}


def test_calm_rows_of_every_kind_say_nothing(reference: Reference, judge: Judge) -> None:
    for seed in range(1, 16):
        found = read(reference, judge, draw(seed))
        assert moved(found) == set()
        assert all(reading.quality == () for reading in found.values())


def test_the_columns_that_are_derived_say_of_what(reference: Reference, judge: Judge) -> None:
    found = read(reference, judge, draw(1))
    assert {name: reading.source for name, reading in found.items() if reading.source} == {
        "review.length": "review", "review.words": "review", "review.unfamiliar": "review",
        "departure.hour": "departure", "departure.weekday": "departure",
        "embedding.norm": "embedding", **{f"embedding.axis{i}": "embedding" for i in range(1, 5)},
    } | {name: "embedding" for name in found if name.startswith("embedding.axis")}  # fmt: skip
    kinds = {name: found[name].kind for name in ("review", "departure", "embedding")}
    assert kinds == {"review": "text", "departure": "datetime", "embedding": "vector"}


CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "another language": (
        {"review": ["слово слово слово"] * 500 + ["word1 word2 word3"] * 500},
        "review.unfamiliar",
        "share of unfamiliar characters in review=0 fell from 100 % to 50 %",
    ),
    "short texts": ({"review": ["word7"] * 1000}, "review.words", "number of words in review"),
    "another hour": (
        {
            "departure": [
                (START + dt.timedelta(days=i % 60, hours=3)).isoformat() for i in range(1000)
            ]
        },
        "departure.hour",
        "share of hour of departure in [2, 4) rose",
    ),
    "weekends only": (
        {
            "departure": [
                f"2026-01-{3 + 7 * (i % 4) + i % 2:02}T{i % 24:02}:00" for i in range(1000)
            ]
        },
        "departure.weekday",
        "share of weekday of departure=Saturday rose from 16 % to 50 %",
    ),
    "another scale": (
        {"embedding": (np.array(draw(3)["embedding"]) * 1.5).tolist()},
        "embedding.norm",
        "norm of embedding",
    ),
    "another model": (
        {"embedding": (np.array(draw(3)["embedding"])[:, ::-1]).tolist()},
        "embedding.axis1",
        "axis 1 of embedding",
    ),
    "correlation turned": (
        {"b": draw(3, correlation=-0.8)["b"], "a": draw(3)["a"]},
        "multivariate",
        "correlation of a and b fell from 0.82 to -0.80",
    ),
    "correlation gone": (
        {"b": draw(4)["b"], "a": draw(3)["a"]},
        "multivariate",
        "correlation of a and b fell from 0.82 to 0.00",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_found_and_named(reference: Reference, judge: Judge, name: str) -> None:
    change, column, words = CHANGES[name]
    found = read(reference, judge, draw(3) | change)
    assert column in moved(found)
    assert words in found[column].explanation
    assert found[column].rank <= len(moved(found))


def test_a_column_that_moves_alone_is_no_drift_of_all_together(
    reference: Reference, judge: Judge
) -> None:
    calm = draw(3)
    found = read(reference, judge, calm | {"a": [value + 2.0 for value in calm["a"]]})
    assert moved(found) == {"a"}
    assert found["multivariate"].status is Status.WARNING
    assert found["multivariate"].explanation.startswith("single columns have moved: a; ")


def test_faults_are_those_of_the_column_not_of_what_is_derived(
    reference: Reference, judge: Judge
) -> None:
    calm = draw(3)
    table = calm | {
        "review": [None] * 300 + calm["review"][300:],
        "departure": ["soon"] * 1000,
        "embedding": [value[1:] for value in calm["embedding"]],
    }
    found = read(reference, judge, table)
    assert {name for name, reading in found.items() if reading.quality} == {
        "review", "departure", "embedding"
    }  # fmt: skip
    assert "30 % of values are missing" in found["review"].quality[0]
    assert "100 % of values are of the wrong type" in found["embedding"].quality[0]
    assert found["departure.hour"].status is Status.INSUFFICIENT
    assert "share of review missing rose from 0 % to 30 %" in found["review"].explanation


def test_frozen_texts_are_frozen(reference: Reference, judge: Judge) -> None:
    found = read(reference, judge, draw(3) | {"review": ["word7 word8"] * 1000})
    assert found["review.length"].quality == ("frozen: every value is 11 (reference 0 %)",)


def test_a_column_absent_takes_what_is_derived_with_it(reference: Reference, judge: Judge) -> None:
    table = draw(3)
    del table["embedding"]
    found = read(reference, judge, table)
    assert "the column is absent or empty" in found["embedding"].quality[0]
    assert {name for name, reading in found.items() if reading.quality} == {"embedding"}


def test_vectors_may_come_in_either_shape(reference: Reference, judge: Judge) -> None:
    table = draw(3)
    whole = reference.layout.count(table, {})
    vectors = table.pop("embedding")
    table |= {f"embedding[{i}]": [vector[i] for vector in vectors] for i in range(WIDTH)}
    laid_out = reference.layout.count(table, {})
    assert laid_out.counts == whole.counts
    assert laid_out.details.unexpected == {}
    names = {f"e[{i}]": [1.0, 2.0, 3.0] * 50 for i in range(3)}
    narrow = build_from_columns(Rows(names, {}), created_at=0.0).layout
    assert narrow.count({"e": [[1.0] * 3] * 4}, {}).counts == narrow.count(
        {name: [1.0] * 4 for name in names}, {}
    ).counts  # fmt: skip


def test_different_values_are_estimated(reference: Reference, judge: Judge) -> None:
    found = read(reference, judge, draw(3) | {"user": [f"new-{i}" for i in range(1000)]})["user"]
    assert found.distinct == pytest.approx(1000, rel=0.1)
    assert found.reference_distinct == pytest.approx(5000 * (1 - np.exp(-6000 / 5000)), rel=0.02)


def test_unexpected_columns_are_named_and_a_stray_one_is_no_fault(
    reference: Reference, judge: Judge
) -> None:
    table = draw(3) | {"new": [1.0] * 1000, "stray": [None] * 998 + [1, 2], "empty": [None] * 1000}
    found = read(reference, judge, table)
    assert found["new"].quality == (
        "unexpected: the reference does not know this column; 100 % of rows hold it",
    )
    assert (found["stray"].quality, "0.2 % of rows" in found["stray"].explanation) == ((), True)
    assert "empty" not in found
    assert found["new"].kind == "unknown"


def test_outputs_are_unexpected_only_where_the_reference_has_outputs() -> None:
    features = {"x": [1.0, 2.0, 3.0] * 100}
    none = build_from_columns(Rows(features, {}), created_at=0.0).layout
    some = build_from_columns(Rows(features, {"prediction": [1.0] * 300}), created_at=0.0).layout
    outputs, chances = {"prediction": [1.0] * 300, "score": [0.5] * 300}, {"a": [0.5] * 300}
    assert none.count(features, outputs, chances).details.unexpected == {}
    assert some.count(features, outputs, chances).details.unexpected == {
        ("score", "prediction"): 300
    }


def test_random_names_of_columns_take_no_more_room(reference: Reference) -> None:
    details = reference.layout.count({"a": [1.0], **{f"r{i}": [1] for i in range(500)}}, {}).details
    for number in range(50):
        details += reference.layout.count({"a": [1.0], f"q{number}": [1]}, {}).details
    assert len(details.unexpected) <= 20
