"""What a pane of counts costs, as docs/statistics.md states it: by cells and columns, not rows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from monitor.profile.build import Rows, build_from_columns
from monitor.profile.layout import Layout

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def layout(columns: int) -> Layout:
    random = np.random.default_rng(2)
    table = {f"c{i}": random.normal(size=2000).tolist() for i in range(columns)}
    return build_from_columns(Rows(table, {}), created_at=0.0).layout


def array_bytes(held: Layout, rows: int) -> int:
    random = np.random.default_rng(rows)
    names = [column.column.name for column in held.columns]
    given = [name for name in names if re.fullmatch(r"c\d+", name)]  # not what is derived of them
    table = {name: random.normal(size=rows).tolist() for name in given}
    counts = held.count(table, {}).counts
    assert counts.rows == rows
    return counts.cells.nbytes + counts.moments.nbytes


@pytest.mark.parametrize("columns", [1, 20])
def test_a_pane_costs_bytes_by_cells_and_columns_whatever_the_rows(columns: int) -> None:
    held = layout(columns)
    cells = int(held.offsets[-1])
    by_rows = {array_bytes(held, rows) for rows in (10, 1000, 5000)}
    held_columns = len(held.columns)  # with those derived of all together
    assert held_columns >= columns
    assert by_rows == {8 * cells + 24 * held_columns}
    assert cells <= 247 * held_columns  # at most 245 of values, and two


def test_the_page_states_these_figures() -> None:
    words = re.sub(r"\s+", " ", PAGE.read_text("utf-8"))
    assert "8 bytes a cell and 24 a column, whatever the number of rows" in words
