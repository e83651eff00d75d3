"""Child processes end with their block, and say why they did not do their work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.children import Children, DemoError, free_ports

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, check=False)
    return state.stdout.strip() not in {b"", b"Z"}


def test_a_server_is_waited_for_and_ended(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Children(tmp_path) as children:
        children.start("server", [sys.executable, "-c", SERVER, str(port)])
        children.wait_until_answers(f"http://127.0.0.1:{port}/", 20)
        pid = children.pids[0]
        assert alive(pid)
        children.check()
    assert not alive(pid)


def test_what_a_child_left_in_its_session_is_ended_too(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Children(tmp_path) as children:
        children.start("parent", [sys.executable, "-c", PARENT])
        with pytest.raises(DemoError, match="did not answer 200 within 1 s"):
            children.wait_until_answers(f"http://127.0.0.1:{port}/", 1)
        grandchild = int((tmp_path / "parent.log").read_text())
        assert alive(grandchild)
    assert not alive(grandchild)


def test_an_early_end_names_the_log_and_its_last_line(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Children(tmp_path) as children:
        children.start("model server", [sys.executable, "-c", "raise SystemExit('no such model')"])
        with pytest.raises(DemoError, match=r"model server ended .*\.log ends: no such model"):
            children.wait_until_answers(f"http://127.0.0.1:{port}/", 20)


def test_run_hands_over_the_environment_and_fails_on_an_exit_code(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        children.run("fine", [sys.executable, "-c", "pass"], 20)
        with pytest.raises(DemoError, match="build failed with exit code 3"):
            children.run("build", [sys.executable, "-c", "raise SystemExit(3)"], 20)
        with pytest.raises(DemoError, match=r"took over 0\.2 s"):
            children.run("slow", [sys.executable, "-c", "import time; time.sleep(60)"], 0.2)


def test_an_interrupt_at_any_moment_of_a_start_leaves_no_orphan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            signal.raise_signal(signal.SIGINT)  # the fork is done, and nobody knows of it yet

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt), Children(tmp_path) as children:
        children.start("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.undo()
    signal.signal(signal.SIGINT, before)
    assert len(started) == 1
    assert not alive(started[0])


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(1024 <= port < 65536 for port in ports)
