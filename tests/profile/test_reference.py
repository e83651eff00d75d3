"""The reference file: read back as it was written, and refused in one clear line where it is not
one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.errors import ReferenceFileError
from monitor.profile import reference as files
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference, ReferencePerformance


@pytest.fixture(scope="module")
def reference() -> Reference:
    random = np.random.default_rng(0)
    features = {
        "x": random.lognormal(size=500),
        "n": random.integers(0, 3, 500).tolist(),
        "straße": random.choice(["é", "missing", "c"], 500).tolist(),
        "b": (random.random(500) < 0.5).tolist(),
        "empty": [None] * 500,
    }
    performance = ReferencePerformance(500, {"rmse": 1.25, "r2": 0.5}, {"f1": {"a": 0.5}})
    rows = Rows(features, {"prediction": random.normal(size=500)}, {}, random.normal(size=500))
    return build_from_columns(rows, created_at=1_700_000_000.5, performance=performance)


def test_it_comes_back_as_it_was(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    files.save(reference, path)
    again = files.load(path)
    assert again.digest == reference.digest
    assert files.render(again) == files.render(reference)
    assert again.counts == reference.counts
    assert again.label_counts == reference.label_counts
    assert again.feature_names == ("x", "n", "straße", "b", "empty")
    assert again.performance == reference.performance
    assert (again.task, again.rows, again.created_at) == ("regression", 500, 1_700_000_000.5)
    same: dict[str, list[object]] = {
        "x": [0.1, 5.0, None, "?"],
        "straße": ["é", "new", None, "missing"],
    }
    assert again.layout.count(same, {}).counts == reference.layout.count(same, {}).counts
    assert [p.bins for p in again.columns] == [p.bins for p in reference.columns]
    assert [p.grid.outside.tolist() for p in again.columns] == [
        p.grid.outside.tolist() for p in reference.columns
    ]


def test_people_can_read_it(reference: Reference, tmp_path: Path) -> None:
    files.save(reference, tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text("utf-8")
    assert text.startswith('{\n "sidelight_reference": 2,\n "created_at": "2023-11-14T22:13:20')
    assert "straße" in text
    column = json.loads(text)["columns"][0]
    assert {"missing_ratio", "mean", "stddev", "quantiles", "bins", "edges"} <= set(column)
    assert sum(part["ratio"] for part in column["bins"]) == pytest.approx(1.0)
    assert max(len(line) for line in text.splitlines()) < 6000
    assert list(tmp_path.iterdir()) == [tmp_path / "r.json"]  # no temporary file is left


def test_the_same_data_have_the_same_digest_and_others_another(reference: Reference) -> None:
    values = np.random.default_rng(1).normal(size=100)
    one = build_from_columns(Rows({"x": values}, {}), created_at=1.0)
    two = build_from_columns(Rows({"x": values.tolist()}, {}), created_at=2.0)
    other = build_from_columns(Rows({"x": values + 1e-9}, {}), created_at=1.0)
    assert one.digest == two.digest != other.digest


def broken(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document[key] = value

    return change


def in_column(index: int, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["columns"][index][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (broken("sidelight_reference", 3), "version 3"),
        (broken("sidelight_reference", "x" * 500), "version"),
        (broken("sidelight_reference", True), "version True"),
        (lambda d: d.pop("sidelight_reference"), "not a Sidelight reference"),
        (lambda d: d.pop("columns"), "columns"),
        (broken("columns", []), "columns"),
        (broken("rows", 0), "rows"),
        (broken("rows", 499), "do not add up to 499 rows"),
        (broken("task", "guess"), "task"),
        (broken("created_at", "yesterday"), "created_at"),
        (broken("digest", "0" * 64), "does not match its digest"),
        (broken("performance", {"rows": 1, "metrics": {"rmse": "nan?"}}), "metrics"),
        (in_column(0, "kind", "picture"), "kind"),
        (in_column(0, "role", "owner"), "role"),
        (in_column(0, "edges", [1.0, 1.0]), "edges must increase"),
        (in_column(0, "edges", [1.0, 2.0]), "cells"),
        (in_column(0, "cells", [-1] * 10), "cells"),
        (in_column(0, "cells", None), "cells"),
        (in_column(0, "scale", 0.0), "scale"),
        (in_column(0, "centre", float("inf")), "centre"),
        (in_column(0, "fences", [2.0, 1.0]), "fences"),
        (in_column(0, "minimum", 1e9), "minimum"),
        (in_column(0, "maximum", None), "range"),
        (in_column(0, "bins", [{"name": "a"}] * 14), "name of its own"),
        (in_column(0, "bins", [{"name": "a"}, {}, {"name": "c"}]), "bin"),
        (in_column(0, "bin_of_cell", [99]), "bin_of_cell"),
        (in_column(2, "categories", ["a", "a", "c"]), "twice"),
        (in_column(2, "categories", ["a"]), "cells"),
        (in_column(3, "cells", [500]), "four"),
        (in_column(1, "name", "x"), "one name and role"),
        (in_column(1, "name", ""), "name"),
    ],
)
def test_a_broken_one_is_refused_in_one_line(
    reference: Reference, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    document = json.loads(json.dumps(files.render(reference)))
    if says != "does not match its digest":
        del document["digest"]
    change(document)
    with pytest.raises(ReferenceFileError) as caught:
        files.parse(document, "r.json")
    message = str(caught.value)
    assert says in message
    assert message.startswith("r.json: ")
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"sidelight_reference": NaN}',
        b'{"sidelight_reference": 1}',
    ],
)
def test_what_is_no_reference_at_all(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(ReferenceFileError, match=r"r\.json: "):
        files.load(path)


def test_files_that_are_not_there_or_too_large(
    tmp_path: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ReferenceFileError, match="No such file"):
        files.load(tmp_path / "absent.json")
    with pytest.raises(ReferenceFileError, match="directory"):
        files.load(tmp_path)
    with pytest.raises(ReferenceFileError, match="cannot be written"):
        files.save(reference, tmp_path / "absent" / "r.json")
    files.save(reference, tmp_path / "r.json")
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ReferenceFileError, match="larger than"):
        files.load(tmp_path / "r.json")


def test_an_edited_file_is_accepted_without_its_digest(reference: Reference) -> None:
    document = json.loads(json.dumps(files.render(reference)))
    del document["digest"]
    document["task"] = "binary"
    document["a_later_release"] = {"adds": "this"}
    accepted = files.parse(document)
    assert accepted.task == "binary"
    assert accepted.digest != reference.digest
