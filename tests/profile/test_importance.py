"""How much a feature says of the prediction, and where that is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from monitor.cli.importances import read_importances
from monitor.errors import DataFileError
from monitor.profile import reference as files
from monitor.profile.build import BuildOptions, Rows, build_from_columns, build_from_file
from monitor.profile.importance import uncertainty_coefficient


def _reference() -> files.Reference:
    random = np.random.default_rng(0)
    a, b, noise = random.normal(size=(3, 4000))
    features = {
        "a": a.tolist(),
        "square": b.tolist(),
        "noise": noise.tolist(),
        "text": [f"a text of {'many ' * int(n)}words {i}" for i, n in enumerate(3 * a**2)],
    }
    return build_from_columns(
        Rows(features, {"prediction": (a + 0.7 * b**2).tolist()}), created_at=0.0
    )


def test_the_coefficient_is_mutual_information_over_entropy_less_chance() -> None:
    random = np.random.default_rng(1)
    x = random.integers(0, 5, 20_000)
    y = (x + random.integers(0, 3, 20_000)) % 7
    shares = np.bincount(y) / len(y)
    entropy = float(-(shares @ np.log(shares)))
    expected = (mutual_info_score(x, y) - 4 * 6 / (2 * len(x))) / entropy
    assert uncertainty_coefficient(x, y) == pytest.approx(expected, rel=1e-9)
    assert uncertainty_coefficient(random.integers(0, 5, 20_000), y) < 0.001
    assert uncertainty_coefficient(x, np.zeros(20_000, np.int64)) == 0.0


def test_dependence_of_any_form_counts_and_noise_does_not() -> None:
    found = {p.column.name: p.importance for p in files.parse(files.render(_reference())).columns}
    assert found["a"] == 1.0
    assert (found["square"] or 0) > 0.25
    assert (found["noise"] or 0) < 0.01
    assert found["text"] == max(found["text.length"] or 0, found["text.words"] or 0) > 0.05
    assert found["prediction"] is None
    assert found["multivariate"] is None


def test_without_a_prediction_there_is_no_importance() -> None:
    built = build_from_columns(Rows({"a": [1.0, 2.0] * 300}, {}), created_at=0.0)
    assert [profile.importance for profile in built.columns] == [None]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 3, "b": "-1.5", "gone": 9}',
        "feature,weight\na,3\nb,-1.5\ngone,9\n",
        "a,3\nb,-1.5\ngone,9",
    ],
)
def test_importances_come_from_a_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "i").write_text(text)
    (tmp_path / "d.csv").write_text("a,b,c\n" + "1,2,3\n2,1,2\n" * 200)
    given = read_importances(tmp_path / "i")
    assert given == {"a": 3.0, "b": -1.5, "gone": 9.0}
    built = build_from_file(tmp_path / "d.csv", BuildOptions(importance=given), created_at=0.0)
    assert [profile.importance for profile in built.columns] == [0.3333, 0.1667, None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"), ('{"a": null}', "the weight of 'a' is no number"), ("", "no feature"),
        ('{"a": 1, "a": 2}', "twice"), ("a,1,2", "line 1"), ("a,1\nb,nan", "'b'"),
        ("{}", "no feature"),
    ],
)  # fmt: skip
def test_a_file_of_importances_with_a_fault_is_refused(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "i").write_text(text)
    with pytest.raises(DataFileError, match=says):
        read_importances(tmp_path / "i")
    with pytest.raises(DataFileError, match="No such file"):
        read_importances(tmp_path / "absent")
