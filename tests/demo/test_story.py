"""The demo as a user starts it: its table, its end by a signal, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from monitor.cli import main; main()", "demo"]

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc"),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the demo with `tmp_path` as its place for files, which also marks its processes."""
    started: list[subprocess.Popen[str]] = []

    def begin(*flags: str) -> subprocess.Popen[str]:
        demo = subprocess.Popen(
            [*COMMAND, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "100"},
        )
        started.append(demo)
        return demo

    yield begin
    for demo in started:
        demo.terminate()
        demo.communicate()


def read_until(demo: subprocess.Popen[str], words: str) -> str:
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)


def processes_in(directory: Path) -> set[int]:
    """The demo, and all that it started: they have inherited its environment."""
    mark, found = f"TMPDIR={directory}".encode(), set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found


@pytest.mark.timeout(240)
def test_it_stays_until_ctrl_c_and_leaves_nothing(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    demo = start("--seconds", "20")
    text = read_until(demo, "Ctrl-C ends it")
    # The demo, the model's server, the supervisor, a relay, the monitor.
    assert len(processes_in(tmp_path)) == 5, text
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, text + rest
    assert "✗" not in text
    assert len(re.findall(r"agrees to \de-\d\d", text)) == 2
    assert "Traceback" not in text + rest
    assert processes_in(tmp_path) == set()
    assert list(tmp_path.glob("sidelight-demo-*")) == []


@pytest.mark.timeout(120)
def test_sigterm_while_it_starts_ends_it_too(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    demo = start("--headless", "--seconds", "20")
    text = read_until(demo, "model server")
    demo.terminate()
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, text + rest
    assert "Traceback" not in rest
    assert processes_in(tmp_path) == set()
    assert list(tmp_path.glob("sidelight-demo-*")) == []
