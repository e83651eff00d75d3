"""Process 1: starts the relay workers and the monitor, restarts what dies, drains on SIGTERM.

Holds the listening sockets, so that a connection that arrives while a worker is being replaced
waits in the kernel instead of being refused. Standard library only; knows no configuration.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from monitor.service.plan import Plan, Process

TICK_SECONDS = 0.1
STOPPED_SECONDS = (
    0.3  # a monitor in state T this long is replaced: it would fill its queue for nothing
)
STEADY_SECONDS = 2.0  # who lived this long is restarted at once, others with a growing pause
MAX_PAUSE_SECONDS = 2.0
GRACE_SECONDS = 10.0  # after the drain, for answers still in flight; then they are cut

_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
_PR_SET_PDEATHSIG = 1


def log(event: str, **fields: object) -> None:
    """One JSON line on standard error, in the form that every process here uses."""
    entry = {
        "event": event,
        "level": fields.pop("level", "info"),
        "process": "supervisor",
        **fields,
    }
    entry["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps(entry), file=sys.stderr, flush=True)  # noqa: T201 - the log


class Child:
    """A process that is kept alive."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.pid = 0
        self.restarts = 0
        self._running: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_after = 0.0
        self._pause_seconds = 0.0
        self._stopped_since: float | None = None

    @property
    def alive(self) -> bool:
        """Whether it has been started and not yet reaped."""
        return self._running is not None

    def start_when_due(self, now: float) -> None:
        """Start it, unless it runs or is pausing after a quick death."""
        if self._running is not None or now < self._start_after:
            return
        running = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", self.process.module],
            stdin=subprocess.PIPE,
            pass_fds=self.process.descriptors,
            env={**self.process.environment, **os.environ},
            preexec_fn=_in_child,  # noqa: PLW1509 - this process has one thread
        )
        assert running.stdin is not None  # noqa: S101 - asked for above
        try:
            running.stdin.write(json.dumps(self.process.document).encode())
            running.stdin.close()
        except BrokenPipeError:
            pass  # it died at birth: the reaper will say so
        self._running, self.pid = running, running.pid
        self._started_at = now
        self._stopped_since = None

    def reaped(self, status: int, now: float) -> None:
        """It has ended; decide when it may start again."""
        assert self._running is not None  # noqa: S101 - only running children are reaped
        self._running.returncode = os.waitstatus_to_exitcode(status)
        if now - self._started_at >= STEADY_SECONDS:
            self._pause_seconds = 0.0
        else:
            self._pause_seconds = min(MAX_PAUSE_SECONDS, max(0.1, self._pause_seconds * 2))
        self._start_after = now + self._pause_seconds
        self._running, self.pid = None, 0
        self.restarts += 1

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._running is not None:
            os.kill(self.pid, number)

    def disown(self) -> None:
        """Let go of what it inherits: once it closes its listener, the kernel refuses who comes,
        instead of having them wait for nobody.
        """
        for descriptor in self.process.descriptors:
            os.close(descriptor)

    def kill_when_stopped(self, now: float) -> None:
        """SIGKILL it once it has been in state T for a while: nobody is going to continue it."""
        if self._running is None or _state(self.pid) != "T":
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = now
        elif now - self._stopped_since >= STOPPED_SECONDS:
            log(
                "replacing a stopped process", level="warning", name=self.process.name, pid=self.pid
            )
            self.signal(signal.SIGKILL)


class Supervisor:
    """Keeps a plan's processes running until told to stop."""

    def __init__(self, plan: Plan) -> None:
        self._monitor = Child(plan.monitor)
        self._relays = [Child(relay) for relay in plan.relays]
        self._children = [self._monitor, *self._relays]
        self._drain_seconds = plan.drain_seconds
        self._draining_until: float | None = None
        self._monitor_told = False

    def run(self) -> int:
        """Supervise until the last child has ended after a SIGTERM; the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        while True:
            now = time.monotonic()
            if self._draining_until is None:
                self._keep_alive(now)
            elif self._drained(now):
                return 0
            received = signal.sigtimedwait(_SIGNALS, TICK_SECONDS)
            if received is not None and self._handle(signal.Signals(received.si_signo)):
                return 1
            self._reap()

    def _keep_alive(self, now: float) -> None:
        for child in self._children:
            child.start_when_due(now)
        self._monitor.kill_when_stopped(now)

    def _handle(self, received: signal.Signals) -> bool:
        """Act on a signal; whether to exit at once."""
        if received == signal.SIGHUP:
            for child in self._children:
                child.signal(signal.SIGHUP)
        elif received in {signal.SIGTERM, signal.SIGINT}:
            if self._draining_until is not None:
                log("second signal: ending at once", level="warning")
                self._end_all()
                return True
            self._start_drain()
        return False

    def _start_drain(self) -> None:
        log("draining", seconds=self._drain_seconds)
        self._draining_until = time.monotonic() + self._drain_seconds + GRACE_SECONDS
        self._monitor.signal(signal.SIGUSR1)  # readiness fails first, while the relays still accept
        for relay in self._relays:
            relay.signal(signal.SIGTERM)
            relay.disown()

    def _drained(self, now: float) -> bool:
        """Relays end first, then the monitor, which still has to write what they handed over."""
        assert self._draining_until is not None  # noqa: S101 - called only while draining
        if now > self._draining_until:
            log("drain took too long: ending what is left", level="warning")
            self._end_all()
            return True
        if any(relay.alive for relay in self._relays):
            return False
        if not self._monitor.alive:
            log("stopped")
            return True
        if not self._monitor_told:
            self._monitor.signal(signal.SIGTERM)
            self._monitor_told = True
        return False

    def _end_all(self) -> None:
        for child in self._children:
            child.signal(signal.SIGKILL)
        for child in self._children:
            if child.alive:
                os.waitpid(child.pid, 0)

    def _reap(self) -> None:
        """Collect every ended process; as process 1, orphans of others too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    child.reaped(status, time.monotonic())
                    self._report(child, pid, status)

    def _report(self, child: Child, pid: int, status: int) -> None:
        if self._draining_until is None:
            ended: dict[str, Any] = {"name": child.process.name, "pid": pid}
            ended["exit_code"] = os.waitstatus_to_exitcode(status)
            log("process ended: restarting it", level="warning", **ended)


def _in_child() -> None:
    """Between fork and exec: undo the signal mask, and never outlive the supervisor.

    A reload reaches every child, also one that is still starting: there it is ignored, not deadly.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _state(pid: int) -> str:
    """The process state letter of proc(5), or "" where there is none to read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def main() -> int:
    """Run the plan whose descriptor is the only argument."""
    with os.fdopen(int(sys.argv[1]), "r", closefd=True) as handed_over:
        plan = Plan.from_json(handed_over.read())
    return Supervisor(plan).run()


if __name__ == "__main__":
    sys.exit(main())
