"""The images, built and run for real: model, sidecar and traffic, hardened as the compose file is.

Runs where a Docker engine answers and PYTHON_IMAGE names a local base image (Python >= 3.11).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("PYTHON_IMAGE", "")
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
MODEL, SIDECAR, TRAFFIC = "sidelight-test-model", "sidelight-test-sidecar", "sidelight-test-traffic"
IMAGE = "sidelight-test-demo"
HARDENED = (
    *("--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"),  # noqa: S108 - inside the container
    *("--security-opt", "no-new-privileges:true"),
)
PROBE = """
import json, os, urllib.request
def get(path):
    return json.load(urllib.request.urlopen("http://127.0.0.1:8001" + path, timeout=5))
try:
    open("/written", "w")
    writable = True
except OSError:
    writable = False
health = get("/api/v1/health")
print(json.dumps({
    "user": os.getuid(), "writable": writable, "predictions": health["predictions"],
    "realised": get("/api/v1/performance")["realised"]["rows"],
}))
"""


def _engine() -> bool:
    docker = shutil.which("docker")
    return (
        bool(docker)
        and not subprocess.run(
            ["docker", "info"], capture_output=True, check=False, timeout=20
        ).returncode
    )


pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not BASE, reason="PYTHON_IMAGE does not name a local base image"),
    pytest.mark.skipif(bool(BASE) and not _engine(), reason="no Docker engine answers"),
]


def docker(*words: str) -> str:
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, check=False, timeout=600, cwd=ROOT
    )
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.strip()


def _command(service: str) -> list[str]:
    """The service's entrypoint and command, as the compose file has them."""
    made = SERVICES[service]
    entrypoint, *rest = made.get("entrypoint", ["sidelight"])
    return ["--entrypoint", entrypoint, IMAGE, *rest, *made["command"]]


@pytest.fixture(scope="module")
def running() -> Iterator[None]:
    built = ("build", "--network", "host", "--build-arg", f"PYTHON_IMAGE={BASE}")
    docker(*built, "--target", "demo", "-t", IMAGE, ".")
    named = ("--add-host", "model:127.0.0.1", "--add-host", "sidelight:127.0.0.1")
    settings = f"{ROOT}/deploy/compose/sidelight.yaml:/etc/sidelight/sidelight.yaml:ro"
    together = ("--network", f"container:{MODEL}", *HARDENED)
    try:
        # One network of loopback alone, so that nothing leaves, and no port is taken here.
        docker("run", "-d", "--name", MODEL, "--network", "none", *named, *HARDENED,
               *_command("model"))  # fmt: skip
        docker("run", "-d", "--name", SIDECAR, *together, "-e", "CONTROL_TOKEN=t", "-v", settings,
               *_command("sidelight"))  # fmt: skip
        _until_healthy(SIDECAR)
        docker("run", "-d", "--name", TRAFFIC, *together, "-e", "FLIGHTS_CONTROL_TOKEN=t",
               *_command("traffic")[:-1], "60")  # fmt: skip
        yield
    finally:
        for name in (TRAFFIC, SIDECAR, MODEL):
            subprocess.run(["docker", "rm", "-fv", name], capture_output=True, check=False)


def _until_healthy(name: str) -> None:
    end = time.monotonic() + 60
    while docker("inspect", "-f", "{{.State.Health.Status}}", name) != "healthy":
        assert time.monotonic() < end, docker("logs", name)
        time.sleep(0.5)


def test_it_observes_joins_labels_and_ends_cleanly(running: None) -> None:
    end = time.monotonic() + 60
    while True:
        seen = json.loads(docker("exec", SIDECAR, "python", "-c", PROBE))
        if seen["predictions"] > 2000 and seen["realised"] > 500:
            break
        assert time.monotonic() < end, (seen, docker("logs", TRAFFIC))
        time.sleep(1)
    assert (seen["user"], seen["writable"]) == (65532, False)
    docker("stop", "-t", "40", SIDECAR)
    assert docker("inspect", "-f", "{{.State.ExitCode}}", SIDECAR) == "0"


def test_the_default_image_says_what_it_lacks(running: None) -> None:
    docker(
        "build",
        "--network",
        "host",
        "--build-arg",
        f"PYTHON_IMAGE={BASE}",
        "-t",
        IMAGE + "-runtime",
        ".",
    )
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", *HARDENED, IMAGE + "-runtime"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "sidelight: upstream: is required (or --upstream)"
