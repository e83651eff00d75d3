"""The same column through Evidently and NannyML: run by the Python of their own environment, prints
JSON.

Knows nothing of Sidelight and imports nothing of it: `python peers.py SEED TRIALS`. Each library
that is not installed there is left out.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np

# Both libraries report their use over the network unless told not to, before they are imported.
os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

REFERENCE_ROWS = 10_000
WINDOWS = (50, 100, 200, 500, 1000)
SHIFTED_WINDOWS = (200, 500, 1000)
SHIFT = 0.25
OUTLIERS = (1e3, -1e3, 1e6, -1e6, 1e300, -1e300)

Alarm = Callable[[Any, int], list[bool]]  # values of so many rows a window → alarm of each window
Cases = dict[str, Any]


def main() -> None:
    """One line of JSON: versions, and the share of windows with an alarm by rule and case."""
    warnings.simplefilter("ignore")
    seed, trials = (int(argument) for argument in sys.argv[1:3])
    random = np.random.default_rng(seed)
    reference = random.normal(size=REFERENCE_ROWS)
    versions: dict[str, str] = {}
    rules: dict[str, Alarm] = {}
    for make in (_evidently, _nannyml, _alibi_detect):
        try:
            name, version, made = make(reference)
        except ImportError:
            continue
        versions[name] = version
        rules |= made
    cases = list(_cases(random, trials))
    rates = [
        {"rule": rule, "case": case, "rows": rows, "rate": float(np.mean(alarm(values, rows)))}
        for rule, alarm in rules.items()
        for case, rows, values in cases
    ]
    print(json.dumps({"versions": versions, "rates": rates, "trials": trials}))


def _cases(random: np.random.Generator, trials: int) -> Iterator[tuple[str, int, Any]]:
    for name, shift, windows in (("no drift", 0.0, WINDOWS), ("+.25σ", SHIFT, SHIFTED_WINDOWS)):
        for rows in windows:
            values = random.normal(shift, 1.0, (trials, rows))
            yield name, rows, values
            spoiled = values.copy()
            spoiled[:, 0] = [huge for huge, _ in zip(cycle(OUTLIERS), range(trials), strict=False)]
            yield f"{name}, one outlier", rows, spoiled


def _evidently(reference: Any) -> tuple[str, str, dict[str, Alarm]]:  # noqa: ANN401 - an array, in an environment without our types
    import evidently  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    import pandas as pd  # noqa: PLC0415 - comes with it
    from evidently.legacy.calculations import stattests  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    from evidently.legacy.core import ColumnType  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent

    before = pd.Series(reference)

    def rule(test: Any, threshold: float) -> Alarm:  # noqa: ANN401 - theirs
        def alarm(values: Any, _: int) -> list[bool]:  # noqa: ANN401 - an array
            return [_drifted(test, before, pd.Series(row), threshold) for row in values]

        return alarm

    def _drifted(test: Any, old: Any, new: Any, threshold: float) -> bool:  # noqa: ANN401 - theirs
        try:
            return bool(test.func(old, new, ColumnType.Numerical, threshold)[1])
        except (ValueError, MemoryError, OverflowError, IndexError):
            return False  # it raised: no alarm, whoever waits for one

    return (
        "evidently",
        evidently.__version__,
        {
            "Evidently default (normed W1 ≥ .1)": rule(stattests.wasserstein_stat_test, 0.1),
            "Evidently PSI ≥ .1": rule(stattests.psi_stat_test, 0.1),
            "Evidently KS p ≤ .05": rule(stattests.ks_stat_test, 0.05),
        },
    )


def _nannyml(reference: Any) -> tuple[str, str, dict[str, Alarm]]:  # noqa: ANN401 - an array
    import nannyml  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    import pandas as pd  # noqa: PLC0415 - comes with it

    def alarm(values: Any, rows: int) -> list[bool]:  # noqa: ANN401 - an array
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=["x"], continuous_methods=["jensen_shannon"], chunk_size=rows
        )
        calculator.fit(pd.DataFrame({"x": reference}))
        found = calculator.calculate(pd.DataFrame({"x": values.ravel()}))
        table = found.filter(period="analysis").to_df()
        return [bool(one) for one in table["x"]["jensen_shannon"]["alert"]]

    return "nannyml", nannyml.__version__, {"NannyML JS, 3σ of reference chunks": alarm}


def _alibi_detect(reference: Any) -> tuple[str, str, dict[str, Alarm]]:  # noqa: ANN401 - an array
    import alibi_detect  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent
    from alibi_detect.cd import CVMDrift, KSDrift  # type: ignore[import-not-found]  # noqa: PLC0415 - may be absent

    def rule(detector: Any) -> Alarm:  # noqa: ANN401 - theirs
        def alarm(values: Any, _: int) -> list[bool]:  # noqa: ANN401 - an array
            return [bool(detector.predict(row[:, None])["data"]["is_drift"]) for row in values]

        return alarm

    before = reference[:, None]
    return (
        "alibi-detect",
        alibi_detect.__version__,
        {
            "alibi-detect KS p < .05": rule(KSDrift(before, p_val=0.05)),
            "alibi-detect Cramér–von Mises p < .05": rule(CVMDrift(before, p_val=0.05)),
        },
    )


if __name__ == "__main__":
    main()
