"""What no column shows by itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from monitor.comparison.classifier import auc
from monitor.comparison.compare import CompareOptions, compare
from monitor.comparison.document import document
from monitor.comparison.terminal import headline, in_words
from monitor.comparison.verdict import Comparison
from monitor.profile.build import BuildOptions, build_from_file
from monitor.profile.reference import save
from monitor.snapshot import Status
from tests.comparison.conftest import write


def pair(seed: int, rho: float, rows: int = 3000) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    a, noise, other = random.normal(size=(3, rows))
    return {"a": a, "b": rho * a + np.sqrt(1 - rho**2) * noise, "other": other}


def compared(one: Path, other: Path) -> Comparison:
    return compare(one, other, CompareOptions(), created_at=0.0)


def test_another_correlation_with_the_same_marginals(tmp_path: Path) -> None:
    one = write(pair(0, 0.0), tmp_path / "a.parquet")
    found = compared(one, write(pair(1, 0.7), tmp_path / "b.parquet"))
    assert not found.drifted
    assert found.drift
    assert found.together.status is Status.DRIFT
    assert {name for name, _ in found.together.columns} == {"a", "b"}
    assert "a model can tell" in in_words(found.together)


def test_the_same_again_cannot_be_told_apart(tmp_path: Path) -> None:
    for seed in range(6):
        one = write(pair(2 * seed, 0.5, 1000), tmp_path / "a.parquet")
        found = compared(one, write(pair(2 * seed + 1, 0.5, 1000), tmp_path / "b.parquet"))
        assert not found.drift
        assert found.together.columns == ()
        assert found.together.auc == pytest.approx(0.5, abs=0.06)


def test_the_area_is_scikit_learns() -> None:
    random = np.random.default_rng(3)
    scores, positive = random.integers(0, 9, 200) / 3.0, random.random(200) < 0.4
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_what_is_lacking_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (write(pair(i, 0.0), tmp_path / f"{i}.parquet") for i in range(2))
    kept = tmp_path / "r.json"
    save(build_from_file(one, BuildOptions(), created_at=0.0), kept)
    short = write(pair(5, 0.0, rows=50), tmp_path / "short.parquet")
    assert "fewer than 100 rows" in compared(kept, short).together.reason
    lone = write({"a": pair(0, 0.0)["a"]}, tmp_path / "lone.parquet")
    assert compared(kept, lone).together.reason.endswith("reference: b, other")
    save(build_from_file(lone, BuildOptions(), created_at=0.0), kept)
    assert "too few" in compared(kept, other).together.reason
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    found = compared(one, other)
    assert "pip install" in found.together.reason
    assert not found.drift
    assert len(found.readings) == 3


def kept_of(rows: dict[str, Any], folder: Path) -> Path:
    """A reference file of these rows."""
    kept = folder / "r.json"
    one = write(rows, folder / "a.parquet")
    save(build_from_file(one, BuildOptions(), created_at=0.0), kept)
    return kept


def named(rows: dict[str, Any]) -> dict[str, Any]:
    """The same rows, with a truth and a name that depend on `b`."""
    return rows | {"late": rows["b"] > 0, "carrier": np.where(rows["b"] > 1, "WN", "UA").tolist()}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_counts_know_how_columns_depend_on_each_other(tmp_path: Path, suffix: str) -> None:
    kept = kept_of(named(pair(0, 0.8)), tmp_path)
    found = compared(kept, write(named(pair(1, 0.0, 20_000)), tmp_path / f"b.{suffix}"))
    assert not found.drifted
    assert found.drift
    assert found.together.auc is None
    assert (found.together.score or 0.0) > found.rule.min_effect
    assert "a and b" in found.together.explanation
    assert "in another way" in in_words(found.together)
    assert "depend on each other in another way" in headline(found)
    assert 4000 < found.together.rows < 6000
    said = document(found)["together"]
    assert (said["status"], said["score"]) == ("drift", found.together.score)


def test_counts_of_the_same_again_raise_nothing(tmp_path: Path) -> None:
    kept = kept_of(named(pair(0, 0.8)), tmp_path)
    for seed in range(1, 7):
        found = compared(kept, write(named(pair(seed, 0.8, 2000)), tmp_path / "b.parquet"))
        assert not found.drift
        assert found.together.status is Status.OK
        assert "as in the reference" in in_words(found.together)
