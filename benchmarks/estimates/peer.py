"""NannyML's data and NannyML's own estimates: run by the Python of its own environment.

Knows nothing of Sidelight and imports nothing of it: `python peer.py FOLDER` writes the data as CSV
into FOLDER and prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

# It reports its use over the network unless told not to, before it is imported.
os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

Theirs = Any  # what that environment's library makes: no types of it are known here

LOAN = (
    "car_value", "salary_range", "debt_to_income_ratio", "loan_length", "repaid_loan_on_prev_car",
    "size_of_downpayment", "driver_tenure",
)  # fmt: skip
PRICE = (
    "car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission",
)  # fmt: skip
LOAN_ROWS = 5000
PRICE_ROWS = 6000


def main() -> None:
    """One line of JSON: the version, and each chunk's estimates."""
    warnings.simplefilter("ignore")
    import nannyml  # type: ignore[import-not-found]  # noqa: PLC0415 - after its switch

    folder = Path(sys.argv[1])
    print(
        json.dumps(
            {
                "version": nannyml.__version__,
                "loan": _loan(nannyml, folder),
                "price": _price(nannyml, folder),
            }
        )
    )


def _loan(nannyml: Theirs, folder: Path) -> dict[str, list[float]]:
    reference, analysis = _written(
        folder, "loan", nannyml.load_synthetic_car_loan_dataset(), [*LOAN, "y_pred_proba", "y_pred"]
    )
    estimator = nannyml.CBPE(
        y_pred_proba="y_pred_proba",
        y_pred="y_pred",
        y_true="repaid",
        problem_type="classification_binary",
        metrics=["roc_auc", "accuracy", "f1"],
        chunk_size=LOAN_ROWS,
    )
    return _estimates(estimator, reference, analysis, ("roc_auc", "accuracy", "f1"))


def _price(nannyml: Theirs, folder: Path) -> dict[str, list[float]]:
    reference, analysis = _written(
        folder, "price", nannyml.load_synthetic_car_price_dataset(), [*PRICE, "y_pred"]
    )
    estimator = nannyml.DLE(
        feature_column_names=list(PRICE),
        y_pred="y_pred",
        y_true="y_true",
        metrics=["mae", "rmse"],
        chunk_size=PRICE_ROWS,
    )
    return _estimates(estimator, reference, analysis, ("mae", "rmse"))


def _written(folder: Path, name: str, data: Theirs, columns: list[str]) -> tuple[Theirs, Theirs]:
    """Reference and analysis, the latter with its targets, as CSV files and as frames."""
    reference, analysis, targets = data
    target = next(one for one in targets.columns if one != "id")
    joined = analysis.merge(targets, on="id", how="left")
    for part, frame in (("reference", reference), ("analysis", joined)):
        frame[[*columns, target]].to_csv(folder / f"{name}_{part}.csv", index=False)
    return reference, analysis


def _estimates(
    estimator: Theirs, reference: Theirs, analysis: Theirs, metrics: tuple[str, ...]
) -> dict[str, list[float]]:
    estimator.fit(reference)
    found = estimator.estimate(analysis).filter(period="analysis").to_df()
    return {metric: [float(value) for value in found[metric]["value"]] for metric in metrics}


if __name__ == "__main__":
    main()
