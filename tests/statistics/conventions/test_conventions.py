"""Other tools' conventions: their golden figures, the published table, and bad input.

`golden.json` holds what the packages say to `cases.py`; `make parity` compares it with them, and
`python -m tests.statistics.conventions.record` writes it anew.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StatisticsError
from monitor.statistics.conventions import evidently
from monitor.statistics.conventions.score import Conventions, Kind, score, statistics
from tests.statistics.conventions.cases import TABLE, TABLE_REFERENCE, Case, cases

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "golden.json").read_text("utf-8")
)  # library → {version, figures: {case: {statistic: figure}}}

TABLE_FIGURES = {  # Evidently PSI, JS, KL, chi2 p; NannyML (reference × 10) JS, L∞, chi2
    "a10 b5 c5": (0.02027326, 0.05029607, 0.01006776, 0.81193635, None, None, None),
    "a50 b30 c10 d10": (0.75939947, 0.20773134, 0.13782487, 0, 0.24951077, 0.1, 104.7619048),
    "a60 b40": (1.56642076, 0.27417925, 1.34281509, 3.154544e-6, 0.32932284, 0.2, 24.7268908),
    "x100": (17.38769425, 0.83255461, 8.17914839, 0, 1, 1, 1100),
}


def ours(case: Case, statistic: str, library: str) -> float:
    if statistic == "default":
        statistic = evidently.default_statistic(
            case.reference, case.current, is_categorical=case.kind == "categorical"
        )
    return score(
        statistic,
        case.reference,
        case.current,
        conventions=library,  # type: ignore[arg-type]  # one of the two, by the parameters
        kind=case.kind,  # type: ignore[arg-type]  # likewise
    )


def differences(library: str, figures: dict[str, dict[str, float]]) -> list[str]:
    """Where our figure is another than theirs by more than a billionth."""
    held = {case.name: case for case in cases()}
    return [
        f"{name}, {statistic}: {found!r} is not {expected!r}"
        for name, of in figures.items()
        for statistic, expected in of.items()
        if (found := ours(held[name], statistic, library))
        != pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    ]


@pytest.mark.parametrize("library", ["evidently", "nannyml"])
def test_golden_figures(library: str) -> None:
    figures = GOLDEN[library]["figures"]
    assert sum(len(of) for of in figures.values()) > 100
    assert differences(library, figures) == []


@pytest.mark.parametrize("name", TABLE)
def test_the_published_table(name: str) -> None:
    *of_evidently, js, l_infinity, chi_square = TABLE_FIGURES[name]
    for statistic, expected in zip(("psi", "js", "kl", "chi_square"), of_evidently, strict=True):
        found = score(
            statistic, TABLE_REFERENCE, TABLE[name], conventions="evidently", kind="categorical"
        )
        assert found == pytest.approx(expected, abs=5.1e-9)
    if js is None:
        return
    for statistic, figure, digits in (
        ("js", js, 8),
        ("l_infinity", l_infinity, 8),
        ("chi_square", chi_square, 7),
    ):
        found = score(
            statistic, 10 * TABLE_REFERENCE, TABLE[name], conventions="nannyml", kind="categorical"
        )
        assert found == pytest.approx(figure, abs=0.51 * 10**-digits)


@pytest.mark.parametrize("conventions", get_args(Conventions))
@pytest.mark.parametrize("kind", get_args(Kind))
def test_empty_samples_are_no_answer(conventions: Conventions, kind: Kind) -> None:
    full: list[object] = [1.0, 2.0] if kind == "numeric" else ["a", "b"]
    for statistic in statistics(conventions, kind):
        for before, now in ((full, []), ([None, math.nan], full)):
            assert math.isnan(score(statistic, before, now, conventions=conventions, kind=kind))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_nothing_moved_is_no_distance(kind: Kind) -> None:
    same = [1.0, 2.0, 3.0, 3.0] * 10 if kind == "numeric" else list("abcc") * 10
    for conventions in get_args(Conventions):
        for statistic in statistics(conventions, kind):
            if statistic == "z":
                continue
            found = score(statistic, same, same, conventions=conventions, kind=kind)
            p_value = conventions == "evidently" and statistic in {"ks", "chi_square"}
            assert found == pytest.approx(1.0 if p_value else 0.0, abs=5e-8)


def test_evidentlys_choice_follows_rows_and_distinct_values() -> None:
    def chosen(reference: list[object], current: list[object], kind: str) -> str:
        return evidently.default_statistic(reference, current, is_categorical=kind == "categorical")

    few, many = list(range(6)), list(range(1001))
    assert chosen([*few], [*few], "numeric") == "ks"
    assert chosen([*few[:3]], [*few[:5]], "numeric") == "chi_square"
    assert chosen([0, 1], [1, None], "numeric") == "z"
    assert chosen([*many], [1], "numeric") == "wasserstein"
    assert chosen([1] * 1001, [2], "numeric") == "js"
    assert chosen(["a", "b"], ["a", None], "categorical") == "z"
    assert chosen(["a", "b"], ["c"], "categorical") == "chi_square"
    assert chosen(["a"] * 1001, ["c"], "categorical") == "js"


@pytest.mark.parametrize(
    ("statistic", "conventions", "kind", "reference", "message"),
    [
        ("psi", "nannyml", "numeric", [1.0], "nannyml has no psi"),
        ("l_infinity", "evidently", "categorical", ["a"], "evidently has no l_infinity"),
        ("js", "whylogs", "numeric", [1.0], "no conventions for whylogs"),
        ("ks", "evidently", "numeric", ["x"], "no number"),
        ("ks", "evidently", "numeric", [[1.0], [2.0]], "one row"),
        ("z", "evidently", "categorical", ["a", "b", "c"], "two values"),
        ("js", "nannyml", "numeric", [1.0, math.inf], "no bins"),
    ],
)
def test_what_there_is_not_is_said(
    statistic: str, conventions: Any, kind: Any, reference: list[Any], message: str
) -> None:
    with pytest.raises(StatisticsError, match=message):
        score(statistic, reference, reference, conventions=conventions, kind=kind)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_any_finite_samples_have_a_figure(first: list[float], second: list[float]) -> None:
    for conventions in get_args(Conventions):
        for statistic in ("js", "hellinger", "ks", "wasserstein"):
            found = score(statistic, first, second, conventions=conventions, kind="numeric")
            assert found >= 0
            assert math.isfinite(found)
