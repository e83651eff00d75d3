"""What a comparison of two files says, and every fault of a file in one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitor.comparison.compare import CompareOptions, compare
from monitor.comparison.document import document
from monitor.comparison.parts import Parts
from monitor.comparison.terminal import headline, notes, why
from monitor.comparison.verdict import Comparison, Rule
from monitor.errors import DataFileError
from monitor.profile.build import BuildOptions, build_from_file
from monitor.profile.reference import save
from monitor.snapshot import Status
from tests.comparison.conftest import mixed, write

ALONE = CompareOptions(together=False)


def compared(one: Path, other: Path, options: CompareOptions = ALONE) -> Comparison:
    return compare(one, other, options, created_at=0.0)


def test_nothing_moved(tmp_path: Path, suffix: str) -> None:
    one = write(mixed(0), tmp_path / f"a.{suffix}")
    other = write(mixed(1), tmp_path / f"b.{suffix}")
    found = compared(one, other)
    assert not found.drift
    assert {reading.status for reading in found.readings} == {Status.OK}
    assert headline(found) == "No drift in 6 columns."
    assert json.loads(json.dumps(document(found), allow_nan=False))["drift"] is False


def test_what_moved_comes_first_and_says_how(tmp_path: Path, suffix: str) -> None:
    one = write(mixed(0), tmp_path / f"a.{suffix}")
    table = mixed(1, shift=0.5)
    table["carrier"] = pa.array(["XX", "WN", "UA"] * 1000)
    found = compared(one, write(table, tmp_path / f"b.{suffix}"))
    assert found.drift
    assert {reading.column for reading in found.drifted} == {"x", "small", "carrier"}
    assert [reading.status for reading in found.readings[:3]] == [Status.DRIFT] * 3
    said = {reading.column: why(reading) for reading in found.readings}
    assert "mean rose by 0.53 standard deviations" in said["x"]
    assert "33 % of values are unseen in the reference: 'XX'" in said["carrier"]
    assert headline(found) == "Drift: 3 of 6 columns drift, the data of 1 are at fault."


def test_a_reference_file_gives_the_same_answer(tmp_path: Path) -> None:
    one = write(mixed(0), tmp_path / "a.parquet")
    other = write(mixed(1, shift=0.3), tmp_path / "b.csv")
    kept = tmp_path / "r.json"
    save(build_from_file(one, BuildOptions(), created_at=0.0), kept)
    by_file, by_rows = compared(kept, other), compared(one, other)
    said = [
        [(r.column, r.status, r.score, r.bins, why(r)) for r in f.readings]
        for f in (by_file, by_rows)
    ]
    assert said[0] == said[1]
    assert by_file.reference.digest
    assert not by_rows.reference.digest


def test_labels_and_predictions_are_compared_where_they_are_named(tmp_path: Path) -> None:
    one = write(mixed(0), tmp_path / "a.parquet")
    other = write(mixed(1, shift=1.0), tmp_path / "b.parquet")
    parts = Parts(target="x", prediction="small", features=("count",))
    found = compared(one, other, CompareOptions(parts, together=False))
    assert {(one.column, one.role) for one in found.drifted} == {
        ("prediction", "prediction"),
        ("label", "label"),
    }
    kept = tmp_path / "r.json"
    save(
        build_from_file(
            one,
            BuildOptions(target="x", prediction="small", features=("count",)),
            created_at=0.0,
        ),
        kept,
    )
    found = compared(kept, other)
    assert [one.column for one in found.readings] == ["count"]
    assert set(found.left_out) == {"prediction", "label"}
    assert any("--prediction" in line for line in notes(found))


def test_columns_on_one_side_only_are_named(tmp_path: Path) -> None:
    table = mixed(1)
    table["new"] = table.pop("late")
    one = write(mixed(0), tmp_path / "a.parquet")
    found = compared(one, write(table, tmp_path / "b.parquet"))
    assert (found.absent, found.unexpected) == (("late",), ("new",))
    (reading,) = found.faulty
    assert reading.column == "late"
    assert "the column is absent or empty" in why(reading)
    assert found.drift


def test_only_some_columns(tmp_path: Path) -> None:
    one = write(mixed(0), tmp_path / "a.parquet")
    other = write(mixed(1, shift=2.0), tmp_path / "b.parquet")
    only = CompareOptions(Parts(only=("late", "wide")), together=False)
    found = compared(one, other, only)
    assert [one.column for one in found.readings] == ["wide", "late"]
    assert not found.drift
    assert found.unexpected == ()
    with pytest.raises(DataFileError, match="no column 'nope'"):
        compared(one, other, CompareOptions(Parts(only=("nope", "x")), together=False))


def test_few_rows_are_no_answer(tmp_path: Path) -> None:
    one = write(mixed(0), tmp_path / "a.parquet")
    other = write(mixed(1, rows=50, shift=5.0), tmp_path / "b.parquet")
    found = compared(one, other)
    assert not found.drift
    assert found.insufficient
    assert headline(found) == "No answer: fewer than 100 rows to compare."
    assert compared(one, other, CompareOptions(rule=Rule(min_rows=20), together=False)).drift


def test_the_thresholds_can_be_chosen(tmp_path: Path) -> None:
    one = write(mixed(0), tmp_path / "a.parquet")
    other = write(mixed(1, shift=0.3), tmp_path / "b.parquet")
    assert compared(one, other).drift
    large = CompareOptions(rule=Rule(min_effect=0.5), together=False)
    assert not compared(one, other, large).drift


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("b.csv", b"", "the file is empty"),
        ("b.csv", b"x,y\n", "there are no rows"),
        ("b.csv", b"x,x\n1,2\n", "column 'x' is there twice"),
        ("b.csv", b"x,y\n1,2\n3\n", "cannot be read"),
        ("b.csv", b"x,y\n1,\xff\xfe\n", "cannot be read"),
        ("b.parquet", b"PAR1 and nothing more", "cannot be read"),
        ("b.csv", b"q,r\n1,2\n", "no row"),
    ],
)
@pytest.mark.parametrize("side", ["reference", "current"])
def test_bad_files_are_one_clear_line(
    tmp_path: Path, name: str, content: bytes, says: str, side: str
) -> None:
    good = tmp_path / "a.csv"
    good.write_text("x,y\n" + "1,2\n2,3\n" * 100)
    bad = tmp_path / name
    bad.write_bytes(content)
    if says == "no row":  # other columns are no fault of the file: they are all absent
        found = compared(good, bad, CompareOptions(rule=Rule(min_rows=2), together=False))
        assert set(found.absent) == {"x", "y"}
        return
    with pytest.raises(DataFileError) as caught:
        compared(*((bad, good) if side == "reference" else (good, bad)))
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(bad))
    assert "\n" not in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    good = write(mixed(0), tmp_path / "a.parquet")
    for pair in ((tmp_path / "no.csv", good), (good, tmp_path / "no.csv")):
        with pytest.raises(DataFileError, match="No such file"):
            compared(*pair)


def test_false_alarms_of_a_whole_comparison_are_rare(tmp_path: Path) -> None:
    """Two halves of the same rows: at most one comparison in ten says drift."""
    random = np.random.default_rng(7)
    alarms = 0
    for trial in range(10):
        tables = [{f"n{i}": random.normal(size=500) for i in range(10)} for _ in range(2)]
        pair = [write(table, tmp_path / f"{trial}{i}.parquet") for i, table in enumerate(tables)]
        alarms += compared(pair[0], pair[1]).drift
    assert alarms <= 1
