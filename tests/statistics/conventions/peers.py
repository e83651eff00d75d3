"""What Evidently or NannyML says to the cases: `python peers.py CASES.json`, by their own Python.

Knows nothing of Sidelight and imports nothing of it. Its last line is JSON: the library's name and
version, and its figures by case and statistic, from its public interface only.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

# Both libraries report their use over the network unless told not to, before they are imported.
os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

EVIDENTLY = {
    "numeric": {
        "psi": "psi",
        "kl": "kl_div",
        "js": "jensenshannon",
        "hellinger": "hellinger",
        "ks": "ks",
        "wasserstein": "wasserstein",
        "energy": "ed",
        "default": None,
    },
    "categorical": {
        "psi": "psi",
        "kl": "kl_div",
        "js": "jensenshannon",
        "hellinger": "hellinger",
        "chi_square": "chisquare",
        "default": None,
    },
}
NANNYML = {
    "numeric": {
        "js": "jensen_shannon",
        "hellinger": "hellinger",
        "ks": "kolmogorov_smirnov",
        "wasserstein": "wasserstein",
    },
    "categorical": {
        "js": "jensen_shannon",
        "hellinger": "hellinger",
        "l_infinity": "l_infinity",
        "chi_square": "chi2",
    },
}

Figures = dict[str, dict[str, float]]


def main() -> None:
    """The first of the two that is installed."""
    warnings.simplefilter("ignore")
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        name, version, figures = _evidently(cases)
    except ImportError:
        name, version, figures = _nannyml(cases)
    sys.stdout.write(json.dumps({"name": name, "version": version, "figures": figures}) + "\n")


def _evidently(cases: list[dict[str, Any]]) -> tuple[str, str, Figures]:
    import evidently  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    import pandas as pd  # noqa: PLC0415 - comes with it
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - may be absent
    from evidently.metrics import ValueDrift  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent

    definitions = {
        "numeric": DataDefinition(numerical_columns=["x"]),
        "categorical": DataDefinition(categorical_columns=["x"]),
    }

    def figure(case: dict[str, Any], method: str | None) -> float:
        sides = [
            Dataset.from_pandas(pd.DataFrame({"x": case[side]}), definitions[case["kind"]])
            for side in ("current", "reference")
        ]
        drift = ValueDrift(column="x", **({"method": method} if method else {}))
        return float(Report([drift]).run(*sides).dict()["metrics"][0]["value"])

    return (
        "evidently",
        evidently.__version__,
        {
            case["name"]: {
                ours: figure(case, theirs) for ours, theirs in EVIDENTLY[case["kind"]].items()
            }
            for case in cases
        },
    )


def _nannyml(cases: list[dict[str, Any]]) -> tuple[str, str, Figures]:
    import nannyml  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    import pandas as pd  # noqa: PLC0415 - comes with it

    def figures(case: dict[str, Any]) -> dict[str, float]:
        methods = NANNYML[case["kind"]]
        numeric = case["kind"] == "numeric"
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=["x"],
            continuous_methods=list(methods.values()) if numeric else None,
            categorical_methods=None if numeric else list(methods.values()),
            chunk_number=1,
        )
        calculator.fit(pd.DataFrame({"x": case["reference"]}))
        found = calculator.calculate(pd.DataFrame({"x": case["current"]}))
        table = found.filter(period="analysis").to_df()["x"]
        return {ours: float(table[theirs]["value"].iloc[0]) for ours, theirs in methods.items()}

    return (
        "nannyml",
        nannyml.__version__,
        {case["name"]: figures(case) for case in cases if not case["infinite"]},
    )


if __name__ == "__main__":
    main()
