"""Tables in files, of every type that a data file can hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
import sklearn.ensemble  # noqa: F401 - loaded once here, not in a process for each comparison

ROWS = 3000


def write(table: Mapping[str, Any] | pa.Table, path: Path) -> Path:
    made = table if isinstance(table, pa.Table) else pa.table(dict(table))
    if path.suffix == ".parquet":
        pq.write_table(made, path, row_group_size=701)
    else:
        pc.write_csv(made, path)
    return path


def mixed(seed: int, rows: int = ROWS, shift: float = 0.0) -> dict[str, Any]:
    """Columns of many kinds, none of which knows of another."""
    random = np.random.default_rng(seed)
    x = random.normal(shift, 1.0, rows)
    few = random.integers(0, 5, rows)
    text = np.array(["WN", "UA", "it's", 'a "b", c', "<b>"], dtype=object)[few]
    text[random.random(rows) < 0.1] = None
    return {
        "x": pa.array(np.where(random.random(rows) < 0.1, np.nan, x), from_pandas=True),
        "count": random.poisson(3, rows),
        "wide": pa.array(random.integers(0, 100_000, rows), pa.int32()),
        "small": pa.array(x.astype(np.float32)),
        "carrier": pa.array(text.tolist()),
        "late": random.random(rows) < 0.3,
    }


@pytest.fixture(params=["parquet", "csv"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)
