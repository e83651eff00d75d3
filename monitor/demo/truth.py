"""Holds the sidecar's figures against pandas on the same rows; pure.

Knows what was sent and which labels were posted; nothing of how the sidecar computes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from examples.flights.data import TARGET
from examples.flights.journal import Journal, joined_table
from monitor.demo.sidecar import Counters, Look

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of predictions whose truth is known, in minutes."""

    rows: int
    rmse: float
    mae: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same rows, computed twice."""

    sidecar: Errors
    offline: Errors

    @property
    def same_rows(self) -> bool:
        """Whether both were given as many rows."""
        return self.sidecar.rows == self.offline.rows

    @property
    def difference(self) -> float:
        """The larger relative difference of RMSE and MAE; infinite where the rows differ."""
        if not self.same_rows:
            return math.inf
        return max(
            abs(self.sidecar.rmse - self.offline.rmse) / self.offline.rmse,
            abs(self.sidecar.mae - self.offline.mae) / self.offline.mae,
        )

    @property
    def agrees(self) -> bool:
        """Whether no difference is larger than summing in another order can make it."""
        return self.difference <= TOLERANCE


def errors_offline(joined: pd.DataFrame) -> Errors | None:
    """RMSE and MAE of a table with predictions and truth; None where it is empty, or without error.

    >>> errors_offline(pd.DataFrame({"arr_delay": [0.0, 0.0], "prediction": [3.0, -1.0]}))
    Errors(rows=2, rmse=2.23606797749979, mae=2.0)
    """
    error = joined["prediction"] - joined[TARGET]
    if not error.abs().sum() > 0:
        return None
    return Errors(len(error), math.sqrt((error**2).mean()), float(error.abs().mean()))


def compare_totals(
    counters: Counters, journal: Journal, flights: pd.DataFrame
) -> Comparison | None:
    """Every label since the start, from the sums in the counters; None without labels."""
    offline = errors_offline(joined_table(journal.posts, flights))
    if offline is None or counters.labels == 0:
        return None
    sidecar = Errors(
        rows=counters.labels,
        rmse=math.sqrt(counters.squared_error / counters.labels),
        mae=counters.absolute_error / counters.labels,
    )
    return Comparison(sidecar, offline)


def compare_window(look: Look, journal: Journal, flights: pd.DataFrame) -> Comparison | None:
    """The labels that arrived in the window; None while it cannot be said which those are.

    It cannot be said where the window's start falls into a post, or a post ended after the look.
    """
    posts = journal.posts_since(look.window_start)
    if not posts or posts[-1].ended_at > look.evaluated_at:
        return None
    offline = errors_offline(joined_table(posts, flights))
    if offline is None or not {"rmse", "mae"} <= look.realised.keys():
        return None
    sidecar = Errors(look.realised_rows, look.realised["rmse"], look.realised["mae"])
    return Comparison(sidecar, offline)
