"""The same two files through a peer's default report: run by the Python of its own environment.

Knows nothing of Sidelight and imports nothing of it: `python peers.py PEER FOLDER FORMAT`. Prints
the peer's version.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

# Both libraries report their use over the network unless told not to, before they are imported.
os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}


def main() -> None:
    """Reads both files as pandas does, and asks the peer."""
    warnings.simplefilter("ignore")
    peer, folder, form = sys.argv[1:4]
    PEERS[peer](*(_read(Path(folder) / f"{name}.{form}") for name in ("reference", "current")))


def _read(path: Path) -> Any:  # noqa: ANN401 - a frame, in an environment without our types
    import pandas as pd  # noqa: PLC0415 - theirs

    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def _evidently(reference: Any, current: Any) -> None:  # noqa: ANN401 - frames
    import evidently  # type: ignore[import-not-found]  # noqa: PLC0415 - in its own environment
    from evidently import Report  # noqa: PLC0415 - as above
    from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    found = Report([DataDriftPreset()]).run(current, reference).dict()
    assert found["metrics"]
    print(evidently.__version__)


def _nannyml(reference: Any, current: Any) -> None:  # noqa: ANN401 - frames
    import nannyml  # type: ignore[import-not-found]  # noqa: PLC0415 - in its own environment

    calculator = nannyml.UnivariateDriftCalculator(column_names=list(reference.columns))
    calculator.fit(reference)
    found = calculator.calculate(current).filter(period="analysis").to_df()
    assert len(found)
    print(nannyml.__version__)


PEERS = {"evidently": _evidently, "nannyml": _nannyml}

if __name__ == "__main__":
    main()
