"""The floors of the house, and how little its small processes load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "scipy", "pandas", "pyarrow", "fastapi", "pydantic", "uvicorn", "httpx", "orjson"}


def _loaded(module: str) -> set[str]:
    code = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["monitor.relay.__main__", "monitor.service.supervisor"])
def test_a_small_process_loads_nothing_heavy(module: str) -> None:
    assert not _loaded(module) & HEAVY


def test_the_monitor_does_not_load_what_only_data_files_need() -> None:
    assert not _loaded("monitor.service.monitoring") & {"pandas", "pyarrow", "sklearn", "typer"}
