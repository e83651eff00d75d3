"""Where the peers' own environments are, and what their Python says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
SECONDS = 600


def python_of(library: str) -> Path:
    """The Python of an environment that holds the library; the test is skipped without one."""
    prefix = os.environ.get("SIDELIGHT_PARITY", str(ROOT / ".venv-parity"))
    python = Path(f"{prefix}-{library}") / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{library} is not installed in an environment of its own: `make parity` does")
    return python


def said(library: str, script: str, *arguments: str) -> Any:
    """The last line that a script of this folder printed there, as JSON."""
    done = subprocess.run(
        [python_of(library), HERE / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().rpartition("\n")[2])
