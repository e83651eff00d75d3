"""The same rows through whylogs: run by the Python of its environment, prints one line of JSON.

Imports nothing of Sidelight: `python peer.py ROWS`. It is given rows that are parsed already, and
of its two ways both: `log`, and the bare `track` of one profile.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any

os.environ["WHYLOGS_NO_ANALYTICS"] = "True"  # it reports its use over the network otherwise
sys.path[0] = str(Path(__file__).resolve().parent)

from rows import (  # type: ignore[import-not-found]  # noqa: E402 - after the path is known
    BATCH_ROWS,
    rows,
)


def main() -> None:
    """Rows a second of one core: by way and mode."""
    warnings.simplefilter("ignore")
    import pandas as pd  # noqa: PLC0415 - comes with it
    import whylogs  # type: ignore[import-not-found]  # noqa: PLC0415 - this environment has it
    from whylogs.core import (  # type: ignore[import-not-found]  # noqa: PLC0415
        DatasetProfile,
    )

    singles = rows(int(sys.argv[1]))
    frames = [
        pd.DataFrame(singles[start : start + BATCH_ROWS])
        for start in range(0, len(singles), BATCH_ROWS)
    ]
    logger, profile = whylogs.logger(), DatasetProfile()
    logger.log(row=singles[0])
    profile.track(singles[0])
    few = singles[: max(1, len(singles) // 10)]
    rates = {
        "whylogs log|single": _rate(few, lambda row: logger.log(row=row), 1),
        "whylogs track|single": _rate(singles, profile.track, 1),
        "whylogs log|batch": _rate(frames, lambda frame: logger.log(pandas=frame), BATCH_ROWS),
        "whylogs track|batch": _rate(frames, profile.track, BATCH_ROWS),
    }
    print(json.dumps({"version": version("whylogs"), "rates": rates}))


def _rate(given: list[Any], log: Callable[[Any], Any], rows_each: int) -> float:
    began = process_time()
    for one in given:
        log(one)
    return len(given) * rows_each / (process_time() - began)


if __name__ == "__main__":
    main()
