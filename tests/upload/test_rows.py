"""Label files as items: what is read, what is left out, and where reading goes on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.upload.rows import PIECE_ROWS, Columns, LabelFileError, count_rows, pieces

COLUMNS = Columns("id", "y", "n", "seen")
CSV = """id,other,y,n,seen
a,x,1.5,0,2026-11-01T10:00:00Z
b,y,,1,
7,z,true,2,1793527200
,q,3,0,
c,"multi
line",007,,2026-11-01 10:00:00+01:00
"""


def items(path: Path, columns: Columns = COLUMNS, skip: int = 0) -> list[object]:
    return [item for piece in pieces(path, columns, skip) for item in piece.items]


def test_csv_cells_become_json_values(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(CSV, "utf-8")
    assert [piece.rows for piece in pieces(path, COLUMNS)] == [5]
    assert items(path) == [
        {"prediction_id": "a", "label": 1.5, "row": 0, "observed_at": "2026-11-01T10:00:00Z"},
        {"prediction_id": "7", "label": True, "row": 2, "observed_at": "2026-11-01T10:00:00+00:00"},
        {"prediction_id": "c", "label": "007", "observed_at": "2026-11-01 10:00:00+01:00"},
    ]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    table = pa.table(
        {
            "id": [1, 2, 3],
            "y": [0.5, float("nan"), 2.0],
            "n": [0.0, 1.0, 2.0],
            "seen": [dt.datetime(2026, 11, 1, 10), None, None],
        }
    )
    pq.write_table(table, path)
    assert count_rows(path) == 3
    assert items(path) == [
        {"prediction_id": "1", "label": 0.5, "row": 0, "observed_at": "2026-11-01T10:00:00+00:00"},
        {"prediction_id": "3", "label": 2.0, "row": 2},
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("skip", [0, 1, PIECE_ROWS - 1, PIECE_ROWS, 45_000, 60_000])
def test_reading_goes_on_from_any_row(tmp_path: Path, kind: str, skip: int) -> None:
    rows = 50_000
    path = tmp_path / f"labels.{kind}"
    if kind == "csv":
        path.write_text("id,y\n" + "".join(f"i{n},{n}\n" for n in range(rows)), "utf-8")
    else:
        table = pa.table({"id": [f"i{n}" for n in range(rows)], "y": list(range(rows))})
        pq.write_table(table, path)
    found = items(path, Columns("id", "y"), skip)
    assert found == [{"prediction_id": f"i{n}", "label": n} for n in range(skip, rows)]


def test_a_number_in_one_block_and_text_in_the_next_are_both_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    lines = [f"i{n},{n if n < 200_000 else 'late'}\n" for n in range(200_001)]
    path.write_text("id,y\n" + "".join(lines), "utf-8")
    assert items(path, Columns("id", "y"), 199_999) == [
        {"prediction_id": "i199999", "label": 199_999},
        {"prediction_id": "i200000", "label": "late"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", b"id,z\n1,2\n", "has no column 'y'; it has id, z"),
        ("a.csv", b"", "(?i)empty"),
        ("a.parquet", b"not parquet", "(?i)parquet"),
        ("a.csv", b"id,y\n1,2,3\n", "(?i)column"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelFileError, match=fault):
        items(tmp_path / name, Columns("id", "y"))
