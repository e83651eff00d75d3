"""References that can estimate: fitted from a file, kept as numbers, and read live."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

from monitor.errors import DataFileError, ReferenceFileError, SidelightError
from monitor.performance.estimates import SAMPLED_ROWS, Estimates
from monitor.profile import fitting
from monitor.profile.build import BuildOptions, build_from_file
from monitor.profile.estimate import with_estimator
from monitor.profile.estimator import ClassEstimator, ErrorEstimator
from monitor.profile.reference import Reference, load, parse, render, save
from monitor.records.batch import Batch
from monitor.snapshot import PerformanceReading, Status

REGRESSION = BuildOptions(target="y", prediction="guess", features=("x", "kind"))
BINARY = BuildOptions(target="y", prediction="guess", features=("x",), probabilities={"1": "p"})


def regression(seed: int, rows: int = 4000, wide: float = 0.5) -> pd.DataFrame:
    """Errors grow with |x|, and are three times as large for kind b."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows)
    kind = np.where(draw.random(rows) < wide, "b", "a")
    size = (0.2 + np.abs(x)) * np.where(kind == "b", 3.0, 1.0)
    return pd.DataFrame(
        {"x": x, "kind": kind, "guess": 2.0 * x, "y": 2.0 * x + size * draw.normal(size=rows)}
    )


def binary(seed: int, rows: int = 4000, place: float = 0.0) -> pd.DataFrame:
    """Probabilities that are squeezed towards a half."""
    draw = np.random.default_rng(seed)
    x = draw.normal(place, 2.0, rows)
    share = 1.0 / (1.0 + np.exp(-x))
    p = 0.25 + share / 2.0
    return pd.DataFrame(
        {
            "x": x,
            "p": p,
            "guess": (p > 0.5).astype(int),
            "y": (draw.random(rows) < share).astype(int),
        }
    )


def built(frame: pd.DataFrame, path: Path, options: BuildOptions) -> Reference:
    frame.to_parquet(path)
    reference = build_from_file(path, options, created_at=0.0)
    return with_estimator(reference, path, options)


def batch(frame: pd.DataFrame, at: float = 0.0, probabilities: bool = True) -> Batch:
    rows = len(frame)
    features = {name: frame[name].tolist() for name in ("x", "kind") if name in frame}
    shares = {"1": frame["p"].tolist()} if probabilities and "p" in frame else {}
    outputs = {"prediction": frame["guess"].tolist()}
    return Batch(["p"] * rows, [0] * rows, [at] * rows, features, outputs, shares)


def estimated(reference: Reference, *batches: Batch) -> PerformanceReading:
    assert reference.estimator is not None
    estimates = Estimates(reference.estimator, 600.0, 60.0)
    for one in batches:
        estimates.observe(one)
    return estimates.reading(0.0, 100)


@pytest.fixture(scope="module")
def of_errors(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "TREES", 40)
        return built(regression(0, 12_000), tmp_path_factory.mktemp("e") / "r.parquet", REGRESSION)


@pytest.fixture(scope="module")
def of_classes(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return built(binary(0, 12_000), tmp_path_factory.mktemp("c") / "r.parquet", BINARY)


@pytest.mark.parametrize("wide", [0.1, 0.5, 0.9])
def test_errors_are_expected_where_they_will_be(of_errors: Reference, wide: float) -> None:
    frame = regression(1, 20_000, wide)
    errors = (frame["guess"] - frame["y"]).to_numpy()
    found = estimated(of_errors, batch(frame[:500]))
    assert found.status is Status.OK
    assert found.metrics["mae"] == pytest.approx(float(np.abs(errors).mean()), rel=0.1)
    assert found.metrics["rmse"] == pytest.approx(float(np.sqrt((errors**2).mean())), rel=0.15)
    low, high = found.intervals["mae"]
    assert low < float(np.abs(errors[:500]).mean()) < high


def test_a_burst_is_read_through_an_even_sample_of_it(of_errors: Reference) -> None:
    quiet, wild = regression(2, 8000, 0.0), regression(3, 8000, 1.0)
    parts = [batch(frame[i : i + 100]) for i in range(0, 8000, 100) for frame in (quiet, wild)]
    found = estimated(of_errors, *parts)
    assert found.rows == 16_000
    alone = [estimated(of_errors, batch(frame[:500])).metrics["mae"] for frame in (quiet, wild)]
    assert found.metrics["mae"] == pytest.approx(sum(alone) / 2, rel=0.12)
    width = found.intervals["mae"][1] - found.metrics["mae"]
    assert of_errors.estimator is not None
    evaluated = (3.0 * of_errors.estimator.deviations["mae"] / width) ** 2
    assert SAMPLED_ROWS / 2 < evaluated <= 2 * SAMPLED_ROWS  # the band is that of the sample


def test_features_that_do_not_come_are_missing_and_predictions_that_do_not_are_no_rows(
    of_errors: Reference,
) -> None:
    frame = regression(4, 500)
    without = estimated(of_errors, batch(frame.drop(columns=["kind"])))
    assert without.rows == 500
    assert without.metrics["mae"] > 0
    silent = estimated(of_errors, batch(frame.assign(guess=None)))
    assert (silent.rows, silent.status, dict(silent.metrics)) == (0, Status.INSUFFICIENT, {})
    odd = batch(frame.assign(kind="never seen", x=[1e308, np.nan] * 250))
    assert np.isfinite(estimated(of_errors, odd).metrics["rmse"])


def test_columns_that_tell_nothing_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "TREES", 5)
    frame = regression(10, 1500)
    frame["text"] = [f"words of row {row}" for row in range(1500)]
    frame["nothing"] = np.nan
    options = replace(REGRESSION, features=("x", "text", "kind", "nothing"))
    estimator = built(frame, tmp_path / "r.parquet", options).estimator
    assert isinstance(estimator, ErrorEstimator)
    assert [one.name for one in estimator.features] == ["x", "kind"]


@pytest.mark.parametrize("place", [0.0, 1.5])
def test_classes_are_expected_by_calibrated_probabilities(
    of_classes: Reference, place: float
) -> None:
    assert isinstance(of_classes.estimator, ClassEstimator)
    assert of_classes.estimator.classes == ("1",)
    assert of_classes.estimator.calibrations[0] is not None, "the scores are squeezed"
    frame = binary(5, 20_000, place)
    found = estimated(of_classes, batch(frame))
    right = float(np.mean(frame["guess"].to_numpy() == frame["y"].to_numpy()))
    raw = float(np.where(frame["guess"] == 1, frame["p"], 1 - frame["p"]).mean())
    assert found.metrics["accuracy"] == pytest.approx(right, abs=0.01)
    assert abs(raw - right) > 0.05, "without calibration it would be far off"
    assert found.rows == 20_000


def test_the_other_classs_probability_will_do_and_none_will_not(of_classes: Reference) -> None:
    frame = binary(6, 1000)
    plain = batch(frame)
    mirrored = replace(plain, probabilities={"0": (1.0 - frame["p"]).tolist()})
    one, other = estimated(of_classes, plain), estimated(of_classes, mirrored)
    assert other.metrics == pytest.approx(one.metrics)
    none = estimated(of_classes, batch(frame, probabilities=False))
    assert (none.rows, none.status) == (0, Status.INSUFFICIENT)
    spoilt = frame.assign(p=[2.0, np.nan, -1.0, 0.5] * 250)
    assert estimated(of_classes, batch(spoilt)).rows == 250


def test_several_classes(tmp_path: Path) -> None:
    draw = np.random.default_rng(7)
    shares = draw.dirichlet([1.0, 1.0, 1.0], 3000)
    truth = (draw.random(3000)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    names = np.array(["ant", "bee", "cat"])
    frame = pd.DataFrame(shares, columns=["pa", "pb", "pc"])
    frame["x"], frame["guess"] = draw.normal(size=3000), names[shares.argmax(1)]
    frame["y"] = names[truth]
    columns = dict(zip(names.tolist(), ("pa", "pb", "pc"), strict=True))
    options = BuildOptions("y", "guess", columns, ("x",))
    reference = built(frame, tmp_path / "m.parquet", options)
    live = Batch(
        ["p"] * 3000, [0] * 3000, [0.0] * 3000, {"x": frame["x"].tolist()},
        {"prediction": frame["guess"].tolist()},
        dict(zip(columns, shares.T.tolist(), strict=True)),
    )  # fmt: skip
    right = float(np.mean(names[shares.argmax(1)] == names[truth]))
    assert estimated(reference, live).metrics["accuracy"] == pytest.approx(right, abs=0.03)


@pytest.mark.parametrize("name", ["of_errors", "of_classes"])
def test_the_file_carries_it_as_numbers(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    reference: Reference = request.getfixturevalue(name)
    save(reference, tmp_path / "r.json")
    again = load(tmp_path / "r.json")
    assert again.digest == reference.digest
    live = batch(regression(8) if name == "of_errors" else binary(8))
    assert estimated(again, live) == estimated(reference, live)
    assert json.loads((tmp_path / "r.json").read_text())["estimator"]["kind"] in name


def test_a_damaged_estimator_is_one_line(of_errors: Reference, of_classes: Reference) -> None:
    def spoil(reference: Reference, **change: Any) -> str:
        document = render(reference)
        document["estimator"] = {**document["estimator"], **change}
        with pytest.raises(ReferenceFileError) as caught:
            parse(document, "r.json")
        return str(caught.value)

    assert isinstance(of_errors.estimator, ErrorEstimator)
    assert "more features" in spoil(of_errors, features=[])
    forest = render(of_errors)["estimator"]["absolute"]
    assert "outside" in spoil(of_errors, absolute={**forest, "left": [10**6] * len(forest["left"])})
    assert "calibration" in spoil(of_classes, calibrations=[])
    assert "estimator" in spoil(of_classes, kind="pickle")


def test_what_an_estimate_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.parquet"
    for options, needs in (
        (BuildOptions(target="y"), "--target and --prediction"),
        (BuildOptions("y", "guess", {}, ("x",)), "--probability"),
    ):
        with pytest.raises(DataFileError, match=needs):
            built(binary(9, 600), path, options)
    with pytest.raises(DataFileError, match="at least 500"):
        built(binary(9, 300), path, BINARY)

    def without(name: str) -> NoReturn:
        raise ImportError(name)

    monkeypatch.setattr("monitor.profile.fitting.import_module", without)
    with pytest.raises(SidelightError, match=r"pip install 'sidelight\[estimate\]'"):
        built(binary(9, 600), path, BINARY)
