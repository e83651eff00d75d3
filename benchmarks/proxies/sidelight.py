"""Sidelight itself: `sidelight run` with its defaults, observation on.

The relay has the proxy's core; monitor and supervisor run on the others, beside load and origin.
"""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import measure
from benchmarks.proxies.subject import (
    READY_SECONDS,
    Place,
    Subject,
    UnavailableError,
    free_port,
    last_words,
    start,
    wait_ready,
)

_ROOT = Path(__file__).resolve().parent.parent.parent
OBSERVED = "observed"
UNACCOUNTED = "unaccounted"

_RELAY = "-m monitor.relay"
_SETTLED_SECONDS = 0.5
_ACCOUNT_SECONDS = 15.0
_SETTLED_CORE_RATIO = 0.1
_COMMAND = "import sys; from monitor.cli import main; sys.exit(main())"


def start_proxy(place: Place) -> Subject:
    """The sidecar; UnavailableError, with its last words, where it does not become ready."""
    port, control_port = free_port(), free_port()
    command = [
        sys.executable, "-c", _COMMAND, "run",
        "--upstream", f"http://127.0.0.1:{place.origin_port}",
        "--listen", f"127.0.0.1:{port}",
        "--control", f"127.0.0.1:{control_port}",
        "--data-dir", str(place.directory / "sidelight-data"),
    ]  # fmt: skip
    process = start("sidelight", command, place, {"PYTHONPATH": str(_ROOT)})
    subject = Subject("sidelight", _version(), port, process, control_port, parts)
    wait_ready(subject, place)
    if not measure.wait_until(lambda: _ready(subject), READY_SECONDS, 0.1):
        words = last_words("sidelight", place)
        subject.stop()
        raise UnavailableError(f"/readyz did not answer 200 in {READY_SECONDS:.0f} s: {words}")
    _pin(subject, place)
    return subject


def parts(root: int) -> Mapping[str, Sequence[int]]:
    """The supervisor's children by what they are."""
    found: dict[str, list[int]] = {"relay": [], "monitor": [], "supervisor": [root]}
    for pid in measure.tree(root)[1:]:
        found["relay" if _RELAY in measure.command_line(pid) else "monitor"].append(pid)
    return found


def observations(subject: Subject) -> Mapping[str, float]:
    """What became of the exchanges offered so far: `outcome` or `outcome/reason` → how many."""
    url = f"http://127.0.0.1:{subject.control_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "sidelight_observations_total":
                outcome, reason = sample.labels["outcome"], sample.labels.get("reason", "")
                key = f"{outcome}/{reason}" if reason else outcome
                found[key] = found.get(key, 0.0) + sample.value
    return found


def outcomes_since(
    subject: Subject, before: Mapping[str, float], requests: int
) -> Mapping[str, float]:
    """What became of `requests` exchanges offered after `before`; what never shows is UNACCOUNTED.

    /metrics shows the latest snapshot, which may be seconds old: it is read until all are there.
    """
    found: dict[str, float] = {}

    def all_there() -> bool:
        now = observations(subject)
        found.update({key: value - before.get(key, 0.0) for key, value in now.items()})
        return sum(found.values()) >= requests

    if not measure.wait_until(all_there, _ACCOUNT_SECONDS, 0.25):
        found[UNACCOUNTED] = requests - sum(found.values())
    return found


def settle(subject: Subject, timeout_seconds: float) -> bool:
    """Whether the monitor has worked off its queue: all its processes together are nearly idle."""

    def quiet() -> bool:
        pids = [pid for part in subject.pids().values() for pid in part]
        before = measure.usage(pids).cpu_seconds
        time.sleep(_SETTLED_SECONDS)
        used = measure.usage(pids).cpu_seconds - before
        return used < _SETTLED_CORE_RATIO * _SETTLED_SECONDS

    return measure.wait_until(quiet, timeout_seconds, 0.0)


def _ready(subject: Subject) -> bool:
    """Whether the relay accepts and reaches the origin, as the sidecar itself says."""
    url = f"http://127.0.0.1:{subject.control_port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _pin(subject: Subject, place: Place) -> None:
    for part, pids in subject.pids().items():
        for pid in pids:
            measure.pin(pid, set(place.proxy_cores if part == "relay" else place.other_cores))


def _version() -> str:
    try:
        return installed_version("sidelight")
    except PackageNotFoundError:
        return "this tree"
