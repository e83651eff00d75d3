"""The stack for real: images built, and model, sidecar and traffic brought up by the compose file.

Runs where a Docker engine and a compose answer, and PYTHON_IMAGE names a local base image with
Python 3.11 or newer: `make test-compose PYTHON_IMAGE=…`. Prometheus, Alertmanager and Grafana are
images of others, and come from a registry: they are left out here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("PYTHON_IMAGE", "")
OURS = ("model", "sidelight", "traffic")
PROJECT = "sidelight-test"
TOKEN = "of-a-test"
IMAGE = "sidelight-test-image"
HARDENED = (
    *("--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"),  # noqa: S108 - inside the container
    *("--security-opt", "no-new-privileges:true"),
)
PROBE = """
import os
try:
    open("/written", "w")
    writable = True
except OSError:
    writable = False
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getuid(), writable, int(status["CapEff"], 16), status["NoNewPrivs"].strip())
"""


def _answers(*words: str) -> bool:
    return (
        shutil.which(words[0]) is not None
        and subprocess.run(words, capture_output=True, check=False, timeout=20).returncode == 0
    )


def _compose() -> tuple[str, ...]:
    """The plugin, or the older program of its own; nothing where there is neither."""
    if _answers("docker", "compose", "version"):
        return ("docker", "compose")
    return ("docker-compose",) if _answers("docker-compose", "version") else ()


COMPOSE = _compose() if BASE else ()

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not BASE, reason="PYTHON_IMAGE does not name a local base image"),
    pytest.mark.skipif(bool(BASE) and not COMPOSE, reason="there is no docker compose"),
    pytest.mark.skipif(bool(BASE) and not _answers("docker", "info"), reason="no Docker engine"),
]


def _run(*words: str, within: float = 600) -> str:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
        cwd=ROOT,
        env={**os.environ, "CONTROL_TOKEN": TOKEN},
    )
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.strip()


def _build(target: str, tag: str) -> None:
    _run(
        *("docker", "build", "--network", "host", "--build-arg", f"PYTHON_IMAGE={BASE}"),
        *("--target", target, "-t", tag, "."),
    )


def _stack(path: Path) -> None:
    """The compose file's own three services, on ports that are free, and the image built here."""
    stack: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    if COMPOSE == ("docker-compose",):
        del stack["name"]  # the older program does not know it
    services = {name: stack["services"][name] for name in OURS}
    for service in services.values():
        del service["build"], service["pull_policy"]
        service["image"] = IMAGE
    services["sidelight"]["ports"] = ["127.0.0.1::8000", "127.0.0.1::8001"]
    services["traffic"]["command"][-1] = "60"  # nine months of flights in a minute
    stack["services"] = services
    stack["volumes"] = {"sidelight-data": {}}
    path.write_text(yaml.safe_dump(stack), "utf-8")


@dataclass(frozen=True, slots=True)
class Stack:
    """The project as it runs."""

    compose: tuple[str, ...]
    control: str

    def container(self, service: str) -> str:
        return _run(*self.compose, "ps", "-q", service)

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.control + path, timeout=5) as answer:  # noqa: S310 - http
            return json.load(answer)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    _build("demo", IMAGE)
    file = tmp_path_factory.mktemp("stack") / "compose.yml"
    _stack(file)
    compose = (*COMPOSE, "-f", str(file), "--project-directory", str(ROOT), "-p", PROJECT)
    try:
        _run(*compose, "up", "-d", "--no-build", within=180)
        address = _run(*compose, "port", "sidelight", "8001")
        yield Stack(compose, f"http://{address}")
    finally:
        subprocess.run(
            [*compose, "down", "-v", "-t", "5"], capture_output=True, check=False, cwd=ROOT
        )


def test_one_command_brings_up_what_observes_and_joins_labels(stack: Stack) -> None:
    end = time.monotonic() + 90
    while True:
        health, performance = stack.ask("/api/v1/health"), stack.ask("/api/v1/performance")
        if health["predictions"] > 2000 and performance["realised"]["rows"] > 500:
            break
        assert time.monotonic() < end, (health, _run(*stack.compose, "logs", "--tail", "50"))
        time.sleep(1)
    states = {
        name: _run("docker", "inspect", "-f", "{{.State.Health.Status}}", stack.container(name))
        for name in ("model", "sidelight")
    }
    assert states == {"model": "healthy", "sidelight": "healthy"}


@pytest.mark.parametrize("service", OURS)
def test_a_container_runs_as_nobody_and_writes_nowhere(stack: Stack, service: str) -> None:
    said = _run("docker", "exec", stack.container(service), "python", "-c", PROBE)
    assert said == "65532 False 0 1"


def test_the_sidecar_ends_cleanly(stack: Stack) -> None:
    sidecar = stack.container("sidelight")
    _run("docker", "stop", "-t", "40", sidecar)
    assert _run("docker", "inspect", "-f", "{{.State.ExitCode}}", sidecar) == "0"


def test_the_default_image_says_what_it_lacks() -> None:
    _build("runtime", IMAGE + "-runtime")
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", *HARDENED, IMAGE + "-runtime"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "sidelight: upstream: is required (or --upstream)"
