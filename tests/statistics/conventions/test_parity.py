"""Our conventions against the packages themselves, in their own environments (`make parity`)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from monitor.statistics.conventions import evidently
from monitor.statistics.conventions.score import Kind, score
from tests.statistics.conventions.cases import cases
from tests.statistics.conventions.environment import ROOT, said
from tests.statistics.conventions.test_conventions import GOLDEN, differences

SHARED = Path(os.environ.get("SIDELIGHT_SHARED", ROOT.parent / "shared")) / "parity"
PUBLISHED_DIGITS = 4


@pytest.mark.timeout(600)
@pytest.mark.parametrize("library", ["evidently", "nannyml"])
def test_every_figure_is_the_packages_own(library: str, tmp_path: Path) -> None:
    written = tmp_path / "cases.json"
    written.write_text(json.dumps([case.document() for case in cases()]), "utf-8")
    document = said(library, "peers.py", str(written))
    assert (document["name"], document["version"]) == (library, GOLDEN[library]["version"])
    assert len(document["figures"]) > 20
    assert differences(library, document["figures"]) == []
    # … and the golden file, by which the tests go elsewhere, is what the package says.
    assert document["figures"] == _approximately(GOLDEN[library]["figures"])


def _approximately(figures: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        case: pytest.approx(of, rel=1e-9, abs=1e-12, nan_ok=True) for case, of in figures.items()
    }


@pytest.mark.timeout(600)
def test_evidentlys_own_choice_on_real_size_data(tmp_path: Path) -> None:
    figures = SHARED / "golden_evidently.json"
    if not figures.exists():
        pytest.skip("Evidently's figures on NannyML's data sets are not beside this repository")
    golden: dict[str, list[dict[str, Any]]] = json.loads(figures.read_text("utf-8"))
    said("nannyml", "data_sets.py", str(tmp_path))
    compared = 0
    for name, windows in golden.items():
        table = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
        for number, window in enumerate(windows):
            for column, expected in window["cols"].items():
                held = table[column]
                before, now = held["reference"], held["current"][number]
                kind: Kind = "numeric" if held["numeric"] else "categorical"
                chosen = evidently.default_statistic(
                    before, now, is_categorical=kind == "categorical"
                )
                found = score(chosen, before, now, conventions="evidently", kind=kind)
                assert round(found, PUBLISHED_DIGITS) == expected, (name, number, column)
                compared += 1
    assert compared == 63
