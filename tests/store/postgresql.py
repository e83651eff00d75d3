"""A real PostgreSQL server on loopback, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = ("postgres", "nobody")  # the server refuses to run as root
START_SECONDS = 60.0
QUIET = (
    "fsync=off",  # the tests kill the server, not the machine
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "max_connections=40",
    "shared_buffers=32MB",
    "logging_collector=off",
    "autovacuum_naptime=60",
)


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are: on the path, or in Debian's own place."""
    found = shutil.which("initdb")
    if found is not None and Path(found).with_name("postgres").exists():
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4])
    )
    return versions[-1].parent if versions else None


def missing() -> str:
    """Why no server can be started here, or nothing."""
    if binaries() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and _user() is None:
        return "PostgreSQL refuses root, and there is no user to run it as"
    return ""


def _user() -> str | None:
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    return None


@dataclass
class Server:
    """A cluster in a directory of its own; it may be started, stopped, killed and frozen."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """How the store reaches it."""
        return f"postgresql://sidelight@127.0.0.1:{self.port}/postgres"

    def start(self, *settings: str) -> None:
        """Start, and return when it takes connections."""
        options = [part for one in (*QUIET, *settings) for part in ("-c", one)]
        command = _run_as(str(_binary("postgres")), "-D", str(self.folder / "data"))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-p", str(self.port), *options],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            ready = subprocess.run(
                [_binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL did not start")

    def stop(self) -> None:
        """An ordinary end: connections are ended, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """No end at all: every process of it is gone at once."""
        if self.process is not None:
            with contextlib.suppress(FileNotFoundError):  # it has ended by itself
                self._signal_all(signal.SIGKILL)
            self._end(signal.SIGKILL)
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Every process of it stands still; its sockets stay open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal_all(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """CPU time that its processes have spent, as far as they are still there."""
        ticks = os.sysconf("SC_CLK_TCK")
        fields = [
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            for pid in _family(self._postmaster())
        ]
        return sum(int(user) + int(system) for *_, user, system in (f[:13] for f in fields)) / ticks

    def _signal_all(self, number: int) -> None:
        for pid in _family(self._postmaster()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _postmaster(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                os.kill(self._postmaster(), number)
        self.process.wait(30)
        self.process = None


def _family(parent: int) -> list[int]:
    """A process and its children, which are each a session of their own."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *map(int, children)]


def _binary(name: str) -> Path:
    found = binaries()
    assert found is not None
    return found / name


def _run_as(*command: str) -> list[str]:
    user = _user()
    if os.getuid() != 0 or user is None:
        return list(command)
    entry = pwd.getpwnam(user)
    ids = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    return ["setpriv", *ids, *command]


@contextlib.contextmanager
def server(folder: Path | None = None, *settings: str) -> Iterator[Server]:
    """A server with an empty cluster, gone at the end with all it held."""
    base = Path(tempfile.mkdtemp(prefix="sidelight-postgresql-", dir=folder))
    user = _user()
    if os.getuid() == 0 and user is not None:
        entry = pwd.getpwnam(user)
        os.chown(base, entry.pw_uid, entry.pw_gid)
    base.chmod(0o755)
    try:
        initdb = _run_as(
            *(str(_binary("initdb")), "-D", str(base / "data"), "-U", "sidelight"),
            *("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"),
        )
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=base)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        running = Server(base, port)
        try:
            running.start(*settings)
            yield running
        finally:
            running.kill()
    finally:
        shutil.rmtree(base, ignore_errors=True)
