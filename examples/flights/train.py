"""Teaches a gradient boosting model the arrival delay, on January to March.

Writes the model for its server, and the table from which a reference is built: the same months with
predictions of models that had not seen the row, so that the reference's errors are not flattered.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from examples.flights.data import (
    CATEGORICAL,
    FEATURES,
    NUMERIC,
    TARGET,
    load_flights,
    training_flights,
)

FOLDS = 4
STEPS = FOLDS + 1  # fits, each of which is reported
MODEL_FILE = "model.joblib"
TABLE_FILE = "training.parquet"
_SEED = 2013


@dataclass(frozen=True, slots=True)
class Trained:
    """The model, and its training months with the predictions of models that had not seen them."""

    model: Any  # sklearn's Pipeline, which has no types
    table: pd.DataFrame  # FEATURES, TARGET, and `prediction`


def train(flights: pd.DataFrame, on_step: Callable[[], None]) -> Trained:
    """Fit FOLDS models for the reference's predictions, and one on all; `on_step` after each."""
    inputs, target = flights[list(FEATURES)], flights[TARGET]
    predictions: NDArray[np.float64] = np.empty(len(flights))
    with threadpool_limits(1):  # on a busy machine, idle threads would spin against everyone else
        for learn, check in KFold(FOLDS, shuffle=True, random_state=_SEED).split(inputs):
            fold = _pipeline().fit(inputs.iloc[learn], target.iloc[learn])
            predictions[check] = fold.predict(inputs.iloc[check])
            on_step()
        model = _pipeline().fit(inputs, target)
        on_step()
    return Trained(model, flights[[*FEATURES, TARGET]].assign(prediction=predictions))


def save(trained: Trained, directory: Path) -> tuple[Path, Path]:
    """Write the model and the reference's table; their paths."""
    model, table = directory / MODEL_FILE, directory / TABLE_FILE
    joblib.dump(trained.model, model)
    trained.table.to_parquet(table, index=False)
    return model, table


def _pipeline() -> Any:  # noqa: ANN401 - sklearn has no types
    columns = ColumnTransformer(
        [
            (
                "categories",
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
                list(CATEGORICAL),
            ),
            ("numbers", "passthrough", list(NUMERIC)),
        ]
    )
    regressor = HistGradientBoostingRegressor(
        categorical_features=list(range(len(CATEGORICAL))), random_state=_SEED
    )
    return Pipeline([("columns", columns), ("regressor", regressor)])


def main() -> None:
    """Train, and write both files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--output", type=Path, default=Path(), help="a directory")
    output: Path = parser.parse_args().output
    console = Console()
    output.mkdir(parents=True, exist_ok=True)
    with console.status("training on January to March"):
        model, table = save(train(training_flights(load_flights()), lambda: None), output)
    console.print(f"model {model}, and the table for the reference {table}", highlight=False)


if __name__ == "__main__":
    main()
