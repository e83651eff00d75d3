"""The classifier in a process of its own: scikit-learn takes longer to load than a million rows
take to count, so it is loaded while they are counted.

The process knows `classifier` and nothing else. It is asked once, over its standard input, and
ends as soon as that is closed: with the comparison, or with whatever ended that. Where it cannot be
started, or ends without an answer, the classifier runs here, and says what ails it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, Self

import numpy as np

from monitor.comparison.classifier import LIBRARY, Answer, Question, load, tell

LENGTH_BYTES = 8


class Aside:
    """One process for one question, or none where none is `wanted`."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.process = _started() if wanted else None
        self._question: Question | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            with suppress(OSError):  # what was not sent any more
                self.process.communicate()

    def ask(self, question: Question) -> None:
        """Sends the one question; the answer takes a while."""
        self._question = question
        if self.process is None or self.process.stdin is None:
            return
        sent = _packed(question)
        with suppress(OSError):  # it has ended: that shows when it is to answer
            self.process.stdin.write(len(sent).to_bytes(LENGTH_BYTES, "big") + sent)
            self.process.stdin.flush()

    def answer(self) -> Answer:
        """What the classifier says; ImportError without scikit-learn."""
        assert self._question is not None  # noqa: S101 - asked before
        return self._received() or tell(self._question)

    def _received(self) -> Answer | None:
        if self.process is None or self.process.stdout is None:
            return None
        try:
            held = json.loads(self.process.stdout.readline())
        except ValueError:  # it ended without an answer
            return None
        lost = held["lost"]
        return Answer(held["area"], held["p_value"], None if lost is None else tuple(lost))


def _started() -> subprocess.Popen[bytes] | None:
    """The process, if it is worth one and there can be one."""
    if LIBRARY in sys.modules:
        return None  # it is loaded already
    if not sys.executable or getattr(sys, "frozen", False):
        return None  # that would be no Python
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "OMP_NUM_THREADS": "1",  # as `classifier` limits it; fewer threads hold less memory
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "monitor.comparison.aside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # a Ctrl-C is for the comparison, and ends both
        )
    except OSError:
        return None


def main() -> None:
    """Answers one question."""
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    asked: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    load()
    found = tell(_unpacked(asked.get()))
    said.write(json.dumps({"area": found.area, "p_value": found.p_value, "lost": found.lost}))
    said.close()


def _listen(source: BinaryIO, asked: SimpleQueue[bytes]) -> None:
    """Hands on the question; when nobody can ask or listen any more, ends the process."""
    length = source.read(LENGTH_BYTES)
    question = source.read(int.from_bytes(length, "big"))
    asked.put(question)
    source.read(1)  # nothing comes: it is the end that is waited for
    os._exit(1)


def _packed(question: Question) -> bytes:
    packed = io.BytesIO()
    np.savez(
        packed,
        before=question.before,
        now=question.now,
        named=question.named,
        rule=np.array([question.level, question.threshold]),
    )
    return packed.getvalue()


def _unpacked(packed: bytes) -> Question:
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        level, threshold = held["rule"].tolist()
        return Question(held["before"], held["now"], held["named"], level, threshold)


if __name__ == "__main__":
    main()
