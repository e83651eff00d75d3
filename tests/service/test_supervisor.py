"""The supervisor with real processes: restarts, replaces the stopped, drains in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.service.plan import Plan, Process

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
CHILD = """
import json, os, signal, sys
document = json.load(sys.stdin)
journal = os.open(document["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(word):
    os.write(journal, f"{document['name']} {word} {os.getpid()}\\n".encode())
def on(number, frame):
    word = signal.Signals(number).name
    say(word)
    if word == "SIGTERM" and not document.get("stubborn"):
        say("ended")
        os._exit(0)
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, on)
say("started")
if document.get("dies"):
    sys.exit(3)
while True:
    signal.pause()
"""


ENVIRONMENT = {"ITS_OWN": "own", "INHERITED": "own"}


class Running:
    """A supervisor of two small children that write down what happens to them."""

    def __init__(self, folder: Path, **relay: bool) -> None:
        (folder / "smallchild.py").write_text(CHILD)
        self.journal = folder / "journal"
        self.journal.touch()
        self.listener = socket.create_server(("127.0.0.1", 0))
        listening = (self.listener.fileno(),)
        plan = Plan(
            Process("monitor", "smallchild", self._document("monitor"), (), ENVIRONMENT),
            (Process("relay 0", "smallchild", {**self._document("relay"), **relay}, listening),),
            0.2,
        )
        handed_over = folder / "plan.json"
        handed_over.write_text(plan.to_json())
        descriptor = os.open(handed_over, os.O_RDONLY)
        environment = {
            **os.environ,
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
            "INHERITED": "from outside",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor.service.supervisor", str(descriptor)],
            pass_fds=(descriptor, *listening),
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        os.close(descriptor)

    def _document(self, name: str) -> dict[str, str]:
        return {"name": name, "journal": str(self.journal)}

    def said(self) -> list[list[str]]:
        return [line.split() for line in self.journal.read_text().splitlines()]

    def words(self) -> list[str]:
        return [f"{name} {word}" for name, word, _ in self.said()]

    def pids(self, name: str) -> list[int]:
        return [int(pid) for who, word, pid in self.said() if who == name and word == "started"]

    def wait(self, until: Callable[[], bool], seconds: float = 10.0) -> float:
        began = time.monotonic()
        while not until():
            assert time.monotonic() - began < seconds, self.words()
            time.sleep(0.01)
        return time.monotonic() - began


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def starter(**relay: bool) -> Running:
        one = Running(tmp_path, **relay)
        running.append(one)
        one.wait(lambda: len(one.said()) >= 2)
        return one

    yield starter
    for one in running:
        one.process.kill()
        one.process.wait()
        one.listener.close()


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_process_has_its_own_environment_and_what_is_set_outside_wins(
    start: Callable[..., Running],
) -> None:
    running = start()
    found = [
        dict(part.split(b"=", 1) for part in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
             if b"=" in part)
        for pid in (*running.pids("monitor"), *running.pids("relay"))
    ]  # fmt: skip
    assert [one.get(b"ITS_OWN") for one in found] == [b"own", None]
    assert [one[b"INHERITED"] for one in found] == [b"from outside"] * 2


@pytest.mark.parametrize("name", ["monitor", "relay"])
def test_what_dies_is_started_again(start: Callable[..., Running], name: str) -> None:
    running = start()
    os.kill(running.pids(name)[0], signal.SIGKILL)
    assert running.wait(lambda: len(running.pids(name)) == 2) < 2


def test_a_stopped_monitor_is_replaced(start: Callable[..., Running]) -> None:
    running = start()
    os.kill(running.pids("monitor")[0], signal.SIGSTOP)
    assert running.wait(lambda: len(running.pids("monitor")) == 2) < 2
    assert running.wait(lambda: _gone(running.pids("monitor")[0])) < 2


def test_one_that_dies_at_birth_is_not_restarted_in_a_spin(start: Callable[..., Running]) -> None:
    running = start(dies=True)
    running.wait(lambda: len(running.pids("relay")) >= 3)
    began = time.monotonic()
    count = len(running.pids("relay"))
    running.wait(lambda: len(running.pids("relay")) >= count + 1)
    assert time.monotonic() - began > 0.1


def test_a_drain_fails_readiness_first_and_ends_relays_before_the_monitor(
    start: Callable[..., Running],
) -> None:
    running = start()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    assert set(running.words()[2:5]) == {"monitor SIGUSR1", "relay SIGTERM", "relay ended"}
    assert running.words()[-2:] == ["monitor SIGTERM", "monitor ended"]


@pytest.mark.skipif(sys.platform != "linux", reason="nowhere else are descriptors to be read")
def test_in_a_drain_only_the_relay_still_holds_its_listener(start: Callable[..., Running]) -> None:
    running = start(stubborn=True)
    held = f"/proc/{{}}/fd/{running.listener.fileno()}"
    assert Path(held.format(running.process.pid)).exists()
    running.process.send_signal(signal.SIGTERM)
    running.wait(lambda: not Path(held.format(running.process.pid)).exists())
    assert Path(held.format(running.pids("relay")[0])).exists()


def test_a_second_signal_ends_at_once(start: Callable[..., Running]) -> None:
    running = start(stubborn=True)
    running.process.send_signal(signal.SIGTERM)
    running.wait(lambda: "relay SIGTERM" in running.words())
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(2) == 1
    assert all(_gone(pid) for name in ("monitor", "relay") for pid in running.pids(name))


def test_a_reload_reaches_every_process(start: Callable[..., Running]) -> None:
    running = start()
    running.process.send_signal(signal.SIGHUP)
    running.wait(lambda: "monitor SIGHUP" in running.words())
    running.wait(lambda: "relay SIGHUP" in running.words())


def test_nobody_outlives_a_killed_supervisor(start: Callable[..., Running]) -> None:
    running = start()
    running.process.kill()
    running.process.wait()
    first = [running.pids("monitor")[0], running.pids("relay")[0]]
    running.wait(lambda: all(_gone(pid) for pid in first))
