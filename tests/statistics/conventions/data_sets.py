"""NannyML's own data sets, by its own Python: `python data_sets.py FOLDER`.

Writes one JSON file a set: the reference's and the current rows of the columns that are not keys,
outputs or labels. The current rows are the fifth to seventh tenth, around the change.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

NOT_FEATURES = {"id", "timestamp", "y_true", "y_pred", "repaid"}
TENTHS = (4, 5, 6)


def main() -> None:
    """All three sets."""
    import nannyml  # type: ignore[import-not-found]  # noqa: PLC0415 - not in our environment

    sets = {
        "car_loan": nannyml.load_synthetic_car_loan_dataset,
        "car_price": nannyml.load_synthetic_car_price_dataset,
        "multiclass": nannyml.load_synthetic_multiclass_classification_dataset,
    }
    folder = Path(sys.argv[1])
    for name, load in sets.items():
        reference, analysis, _ = load()
        features = [
            column
            for column in reference.columns
            if column not in NOT_FEATURES and not column.startswith("y_pred")
        ]
        tenth = len(analysis) // 10
        parts = [analysis[tenth * i : tenth * (i + 1)] for i in TENTHS]
        document = {
            column: {
                "numeric": reference[column].dtype.kind in "if",
                "reference": reference[column].tolist(),
                "current": [part[column].tolist() for part in parts],
            }
            for column in features
        }
        (folder / f"{name}.json").write_text(json.dumps(document), "utf-8")
    sys.stdout.write(json.dumps(sorted(sets)) + "\n")


if __name__ == "__main__":
    main()
