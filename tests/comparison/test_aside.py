"""The classifier in a process of its own: the same answer, or the same from here, and no orphan."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import numpy as np
import pytest

from monitor.comparison.aside import Aside
from monitor.comparison.classifier import LIBRARY, Question, tell

SECONDS = 20
PARENT = """
import sys
from monitor.comparison.aside import Aside
with Aside() as aside:
    print(aside.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def question() -> Question:
    random = np.random.default_rng(0)
    before, now = random.normal(size=(2, 300, 3))
    now[:, 1] += 1.0
    now[:5, 0] = np.nan
    before[:, 2], now[:, 2] = random.integers(0, 4, (2, 300))
    return Question(before, now, np.array([False, False, True]), 0.001, 0.55)


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a comparison that begins: scikit-learn is not there yet."""
    monkeypatch.delitem(sys.modules, LIBRARY)


@pytest.mark.end_to_end
@pytest.mark.usefixtures("unloaded")
def test_the_answer_is_the_one_given_here(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Aside() as aside:
        assert aside.process is not None
        aside.ask(question)
        with monkeypatch.context() as here:  # it may not be given here
            here.setattr("monitor.comparison.aside.tell", lambda _: None)
            found = aside.answer()
    assert aside.process.returncode is not None
    monkeypatch.undo()
    assert found == tell(question)
    assert found.lost is not None
    assert max(found.lost) == found.lost[1] > 0.1


@pytest.mark.end_to_end
@pytest.mark.usefixtures("unloaded")
def test_a_process_that_ends_is_not_missed(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Aside() as aside:
        assert aside.process is not None
        aside.process.kill()
        aside.process.wait(SECONDS)
        aside.ask(question)
        monkeypatch.undo()
        assert aside.answer() == tell(question)


@pytest.mark.parametrize("program", ["", "/nowhere/python"])
@pytest.mark.usefixtures("unloaded")
def test_where_none_can_be_started(
    program: str, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with Aside() as aside:
        assert aside.process is None
        aside.ask(question)
        monkeypatch.undo()
        assert aside.answer() == tell(question)


def test_pandas_is_not_loaded(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    finders = list(sys.meta_path)
    assert tell(question).lost is not None
    assert "pandas" not in sys.modules
    assert sys.meta_path == finders


def test_none_is_started_without_need() -> None:
    assert Aside().process is None  # scikit-learn is loaded


@pytest.mark.usefixtures("unloaded")
def test_none_is_started_where_none_is_wanted() -> None:
    assert Aside(wanted=False).process is None


@pytest.mark.end_to_end
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_it_does_not_outlive_the_comparison(sent: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        aside = os.pidfd_open(int(parent.stdout.readline()))
        os.killpg(parent.pid, sent)  # as a terminal does: to all in the foreground
        _, errors = parent.communicate(timeout=SECONDS)
    assert errors.count(b"Traceback") == (sent == signal.SIGINT)
    ended, _, _ = select.select([aside], [], [], SECONDS)
    os.close(aside)
    assert ended
