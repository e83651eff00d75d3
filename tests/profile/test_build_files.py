"""References from CSV and Parquet files, and every fault of a file in one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitor.errors import DataFileError, ReferenceFileError
from monitor.profile import reference as files
from monitor.profile import scored, survey, tables
from monitor.profile.build import BuildOptions, Rows, build_from_columns, build_from_file
from monitor.profile.reference import Reference
from monitor.profile.tables import open_table
from monitor.schema import Kind, Role


def kinds(reference: Reference) -> dict[str, Kind]:
    return {p.column.name: p.column.kind for p in reference.columns}


def bins(reference: Reference, name: str) -> dict[str, int]:
    for profile in reference.columns:
        if profile.column.name == name:
            counts = np.bincount(
                profile.grid.bin_of_cell, weights=profile.cells, minlength=len(profile.bins)
            )
            return {n: int(c) for n, c in zip(profile.bins, counts, strict=True) if c}
    raise KeyError(name)


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    x = random.normal(size=3000)
    return pd.DataFrame(
        {
            "x": np.where(random.random(3000) < 0.1, np.nan, x),
            "n": random.integers(0, 4, 3000),
            "carrier": [["WN", "UA", None][i] for i in random.integers(0, 3, 3000)],
            "late": random.random(3000) < 0.3,
            "arrival": x * 2 + random.normal(size=3000),
            "guess": x * 2,
        }
    )


OPTIONS = BuildOptions(target="arrival", prediction="guess")


def write(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.suffixes else ",")
    return path


@pytest.mark.parametrize("name", ["d.csv", "d.parquet", "d.tsv", "d.csv.gz"])
def test_every_format_gives_the_same_reference(
    frame: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    built = build_from_file(write(frame, tmp_path / name), OPTIONS, created_at=0.0)
    columns: dict[str, list[object]] = {
        str(name): [None if pd.isna(v) else v for v in frame[name].tolist()] for name in frame
    }
    features = {name: columns[name] for name in ("x", "n", "carrier", "late")}
    rows = Rows(features, {"prediction": columns["guess"]}, {}, columns["arrival"])
    in_memory = build_from_columns(rows, created_at=0.0)
    assert kinds(built) == kinds(in_memory)
    for profile in in_memory.columns:
        assert bins(built, profile.column.name) == bins(in_memory, profile.column.name)
    assert bins(built, "carrier")["missing"] == int(frame["carrier"].isna().sum())
    assert built.rows == 3000
    assert built.task == "regression"
    assert built.feature_names == ("x", "n", "carrier", "late")


def test_blocks_of_a_file_change_nothing(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(frame, tmp_path / "d.csv")
    whole = build_from_file(path, OPTIONS, created_at=0.0)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 4096)
    seen: list[tuple[int, int]] = []
    pieces = build_from_file(
        path, OPTIONS, created_at=0.0, progress=lambda done, size: seen.append((done, size))
    )
    assert np.array_equal(whole.counts.cells, pieces.counts.cells)
    assert len(seen) > 20
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (2 * path.stat().st_size, 2 * path.stat().st_size)


def test_a_sample_only_chooses_the_cells(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(frame, tmp_path / "d.parquet")
    monkeypatch.setattr(tables, "BATCH_ROWS", 500)
    monkeypatch.setattr(survey, "SAMPLE_ROWS", 1000)
    built = build_from_file(path, OPTIONS, created_at=0.0)
    profile = built.columns[0]
    x = frame["x"].dropna()
    assert (profile.column.minimum, profile.column.maximum) == (x.min(), x.max())
    assert profile.cells[:-2].sum() == len(x)
    assert profile.cells[:-2][~profile.grid.outside].sum() == len(x)
    shares = np.array(list(bins(built, "x").values()))[:10] / len(x)
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.04)


def test_the_references_performance(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[:9, "arrival"] = np.nan
    path = write(frame, tmp_path / "d.parquet")
    asked: list[tuple[str, int, object]] = []

    def score(
        task: str, labels: object, predictions: object, probabilities: object
    ) -> dict[str, float]:
        truth, guess = np.array(labels, dtype=float), np.array(predictions, dtype=float)
        asked.append((task, len(truth), probabilities))
        return {"rmse": float(np.sqrt(((truth - guess) ** 2).mean()))}

    built = build_from_file(path, OPTIONS, created_at=0.0, score=score)
    known = frame.dropna(subset=["arrival"])
    expected = float(np.sqrt(((known["arrival"] - known["guess"]) ** 2).mean()))
    assert asked[0] == ("regression", 2990, None)
    assert asked[1:] == [("regression", 149, None)] * 20  # chunks, for the spread
    assert built.performance is not None
    assert built.performance.rows == 2990
    assert built.performance.metrics["rmse"] == pytest.approx(expected, rel=1e-12)


def test_performance_is_scored_on_a_bounded_number_of_rows(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scored, "MAX_ROWS", 1234)
    monkeypatch.setattr(tables, "BATCH_ROWS", 500)
    frame["p"] = 0.5
    options = BuildOptions(target="late", prediction="late", probabilities={"True": "p"})
    built = build_from_file(
        write(frame, tmp_path / "d.parquet"),
        options,
        created_at=0.0,
        score=lambda _task, labels, _predictions, probabilities: {
            "labels": float(len(labels)),
            "probabilities": float(len((probabilities or {})["True"])),
        },
    )
    assert built.performance is not None
    assert built.performance.metrics == {"labels": 1234.0, "probabilities": 1234.0}
    assert "probability:True" in kinds(built)
    assert built.task == "binary"


def test_features_can_be_chosen(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write(frame, tmp_path / "d.csv")
    built = build_from_file(path, BuildOptions(features=("n", "x")), created_at=0.0)
    assert built.feature_names == ("n", "x")
    assert [p.column.role for p in built.columns] == [Role.FEATURE] * 3
    assert built.columns[2].column.part == "reconstruction_error"


def test_text_among_numbers_is_invalid_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BLOCK_BYTES", 512)
    lines = [str(i % 7) for i in range(1000)]
    lines[900], lines[950] = "oops", ""
    path = tmp_path / "d.csv"
    path.write_text("a,b\n" + "".join(f"{line},1\n" for line in lines))
    built = build_from_file(path, BuildOptions(), created_at=0.0)
    assert kinds(built)["a"] is Kind.NUMERIC
    found = bins(built, "a")
    assert (found["invalid"], found["missing"], sum(found.values())) == (1, 1, 1000)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"a,a\n1,2\n", "column 'a' is there twice"),
        (b"PAR1 but then nothing", "cannot be read"),
        (b"a,b\n1,\xff\xfe\n", "cannot be read"),
    ],
)
def test_bad_files_are_one_clear_line(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        build_from_file(path, BuildOptions(), created_at=0.0)
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_missing_files_and_columns_are_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="No such file"):
        open_table(tmp_path / "absent.csv")
    path = write(frame, tmp_path / "d.csv")
    for options in (
        BuildOptions(target="nope"),
        BuildOptions(features=("x", "nope")),
        BuildOptions(probabilities={"1": "nope"}),
    ):
        with pytest.raises(DataFileError, match="no column 'nope'; there are x, n, carrier"):
            build_from_file(path, options, created_at=0.0)


def test_parquet_types_beyond_numbers_and_text(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2013-01-01", "2013-01-02"] * 20),
            "list": [[1, 2]] * 40,
            "category": pd.Categorical(["a", "b"] * 20),
            "small": np.arange(40, dtype=np.int8),
            "nothing": [None] * 40,
        }
    )
    path = tmp_path / "d.parquet"
    frame.to_parquet(path)
    built = build_from_file(path, BuildOptions(), created_at=0.0)
    assert bins(built, "list") == {"present": 40}
    assert kinds(built)["list"] is Kind.VECTOR
    assert bins(built, "category") == {"a": 20, "b": 20}
    assert bins(built, "nothing") == {"missing": 40}
    assert len(bins(built, "when")) == 2
    assert kinds(built)["small"] is Kind.NUMERIC


def test_vectors_in_parquet_are_read_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(300, 20)).astype(np.float32)
    rows: list[list[float] | None] = [*vectors.tolist(), None, [1.0, 2.0]]
    frame = pd.DataFrame({"e": rows})
    path = tmp_path / "d.parquet"
    frame.to_parquet(path)
    built = build_from_file(path, BuildOptions(), created_at=0.0)
    assert bins(built, "e") == {"present": 300, "missing": 1, "invalid": 1}
    in_memory = build_from_columns(Rows({"e": rows}, {}), created_at=0.0)
    assert bins(built, "e.norm") == bins(in_memory, "e.norm")


def _journeys(rows: int = 2000) -> pd.DataFrame:
    """Booked an hour to two days before they are asked about, over thirty days."""
    random = np.random.default_rng(1)
    at = pd.Timestamp("2026-03-01T12:00:00") + pd.to_timedelta(np.linspace(0, 30, rows), "D")
    booked = at - pd.to_timedelta(random.uniform(1 / 24, 2, rows), "D")
    return pd.DataFrame(
        {
            "asked": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "booked": booked.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "price": random.normal(size=rows),
            "note": random.normal(size=rows),
        }
    )


@pytest.mark.parametrize("name", ["d.csv", "d.parquet"])
def test_the_time_of_rows_gives_ages_and_the_span_of_the_data(tmp_path: Path, name: str) -> None:
    path = write(_journeys(), tmp_path / name)
    built = build_from_file(path, BuildOptions(time="asked"), created_at=0.0)
    assert built.span is not None
    first, last = (pd.Timestamp(one, unit="s") for one in built.span)
    assert (str(first), str(last)) == ("2026-03-01 12:00:00", "2026-03-31 12:00:00")
    assert built.feature_names == ("booked", "price", "note")
    age = next(p for p in built.columns if p.column.name == "booked.age")
    rows, _, _ = age.moments
    assert rows == 2000
    assert age.column.minimum == pytest.approx(1 / 24, abs=0.01)
    assert age.column.maximum == pytest.approx(2, abs=0.01)
    again = files.parse(files.render(built))
    assert (again.span, again.left_out, again.digest) == (built.span, ("asked",), built.digest)
    without = build_from_file(path, BuildOptions(features=("booked",)), created_at=0.0)
    assert without.span is None
    assert "booked.age" not in kinds(without)


def test_rows_without_a_time_have_no_age_and_a_file_without_any_is_refused(tmp_path: Path) -> None:
    frame = _journeys()
    frame.loc[::2, "asked"] = None
    built = build_from_file(
        write(frame, tmp_path / "half.csv"), BuildOptions(time="asked"), created_at=0.0
    )
    age = next(p for p in built.columns if p.column.name == "booked.age")
    assert (age.moments[0], age.cells[-2]) == (1000, 1000)
    with pytest.raises(DataFileError, match=r"half.csv: column 'price' holds no moment in time"):
        build_from_file(tmp_path / "half.csv", BuildOptions(time="price"), created_at=0.0)
    with pytest.raises(DataFileError, match="no column 'when'"):
        build_from_file(tmp_path / "half.csv", BuildOptions(time="when"), created_at=0.0)


def test_columns_left_out_are_known_and_no_news(tmp_path: Path) -> None:
    path = write(_journeys(), tmp_path / "d.csv")
    options = BuildOptions(features=("price",), target="note")
    reference = files.parse(files.render(build_from_file(path, options, created_at=0.0)))
    assert reference.left_out == ("asked", "booked")
    some: list[object] = [1.0] * 500
    came = {"price": some, "booked": some, "asked": some, "booked[0]": some, "new": some}
    came["note"] = some  # the target among the features is news indeed
    details = reference.layout.count(came, {}).details
    assert set(details.unexpected) == {("new", "feature"), ("note", "feature")}


def test_a_span_that_ends_before_it_starts_is_refused(tmp_path: Path) -> None:
    path = write(_journeys(), tmp_path / "d.csv")
    document = files.render(build_from_file(path, BuildOptions(time="asked"), created_at=0.0))
    document["span"] = document["span"][::-1]
    with pytest.raises(ReferenceFileError, match="span: its end is before its start"):
        files.parse(document)
