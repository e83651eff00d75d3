"""`sidelight compare` as it is typed: exit codes, JSON, a table that fits, one line for a fault."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import sklearn.ensemble  # noqa: F401 - loaded once here, not in a process for each comparison

from monitor.cli import main


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    draw = random.Random(0)
    names = []
    for name, shift in (("a", 0.0), ("b", 0.0), ("c", 1.0)):
        lines = [f"{draw.gauss(shift, 1)},{draw.choice('xyz')}\n" for _ in range(500)]
        (tmp_path / f"{name}.csv").write_text("value,letter\n" + "".join(lines))
        names.append(str(tmp_path / f"{name}.csv"))
    return names[0], names[1], names[2]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["sidelight", "compare", *words])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_exit_codes(
    files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c = files
    assert run(monkeypatch, a, b) == 0
    assert run(monkeypatch, a, c) == 1
    said = capsys.readouterr().out
    assert "value" in said
    assert "mean rose by" in said
    assert max(map(len, said.splitlines())) <= 80
    assert run(monkeypatch, a, "nowhere.csv") == 2
    fault = capsys.readouterr().err.splitlines()
    assert fault == ["sidelight: nowhere.csv: No such file or directory"]


def test_json_is_all_that_is_printed(
    files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, _, c = files
    assert run(monkeypatch, a, c, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["sidelight_comparison"] == 1
    assert found["drift"] is True
    assert [(one["column"], one["status"]) for one in found["columns"]] == [
        ("value", "drift"),
        ("letter", "ok"),
    ]
    assert found["together"]["status"] == "drift"


def test_a_page_can_be_written(
    files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a, b, _ = files
    page = tmp_path / "page.html"
    assert run(monkeypatch, a, b, "--html", str(page), "--columns", "value") == 0
    assert page.stat().st_size > 1_000_000
