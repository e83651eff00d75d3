"""What no column shows by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from monitor.comparison.compare import CompareOptions, compare
from monitor.comparison.terminal import in_words
from monitor.comparison.together import auc
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
    assert "counts and no rows" in compared(kept, other).together.reason
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    found = compared(one, other)
    assert "pip install" in found.together.reason
    assert not found.drift
    assert len(found.readings) == 3
