"""The whole harness with real programs, and what it says of those that are absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from benchmarks import measure, peers, report, suite, summary
from benchmarks.proxies import sidelight
from benchmarks.proxies.subject import Subject, Tools, UnavailableError, free_port

_PATH = f"{os.environ['PATH']}:/usr/sbin"
WRK, NGINX = shutil.which("wrk", path=_PATH), shutil.which("nginx", path=_PATH)
TINY = suite.Plan(
    rounds=1, seconds={2: 1}, rate=200, rate_seconds=0.5, subjects=("nginx", "haproxy", "aiohttp")
)


@pytest.mark.end_to_end
@pytest.mark.skipif(WRK is None or NGINX is None, reason="needs wrk and nginx")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_measures_what_is_there_names_what_is_not_and_leaves_nothing_behind() -> None:
    said: list[str] = []
    before = set(measure.tree(os.getpid()))
    results = suite.run(TINY, Tools(WRK, NGINX, None, None, None), said.append)

    assert set(measure.tree(os.getpid())) <= before
    assert results.absent == {
        "haproxy": "HAProxy is not installed",
        "aiohttp": "the peers' Python environment is missing",
    }
    assert any("haproxy is not measured" in line for line in said)
    taken = {(one.subject, one.mode): one for one in results.samples}
    assert set(taken) == {
        ("direct", "2 connections"),
        ("nginx", "2 connections"),
        ("nginx", "200/s"),
    }
    assert all(one.load.errors == 0 for one in results.samples)
    assert taken["nginx", "200/s"].load.requests == 100
    busy = taken["nginx", "2 connections"]
    assert busy.load.requests > 100
    assert 0 < busy.cpu_seconds["proxy"] < 2 * busy.load.seconds
    page = report.markdown(results, summary.summarise(results.samples))
    assert "Not measured: haproxy (HAProxy is not installed)." in page
    assert "| nginx |" in page


def test_nothing_is_measured_without_a_load() -> None:
    with pytest.raises(UnavailableError, match="wrk"):
        suite.run(TINY, Tools(None, NGINX, None, None, None), lambda _: None)


def test_names_the_packages_of_absent_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "PROGRAMS", ("no-such-program",))
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    monkeypatch.setattr(peers, "LOCK", tmp_path / "bench.lock")
    said: list[str] = []
    tools = peers.prepare(said.append, install=False)
    assert any("apt-get install no-such-program" in line for line in said)
    assert any("absent: bench.lock" in line for line in said)
    assert (tools.python, tools.envoy) == (None, None)


def test_reads_what_became_of_the_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidelight, "_ACCOUNT_SECONDS", 0.5)
    registry = CollectorRegistry()
    counter = Counter(
        "sidelight_observations", "Exchanges.", ["outcome", "reason", "model"], registry=registry
    )
    counter.labels("observed", "", "a").inc(5)
    counter.labels("dropped", "queue_full", "a").inc(2)
    counter.labels("dropped", "queue_full", "b").inc(1)
    port = free_port()
    server, thread = start_http_server(port, "127.0.0.1", registry)
    try:
        subject = _subject(["-c", ""], control_port=port)
        before = sidelight.observations(subject)
        assert before == {"observed": 5.0, "dropped/queue_full": 3.0}
        counter.labels("observed", "", "a").inc(10)
        whole = sidelight.outcomes_since(subject, before, requests=10)
        assert whole == {"observed": 10.0, "dropped/queue_full": 0.0}
        late = threading.Timer(0.2, counter.labels("observed", "", "a").inc, [1])
        late.start()
        assert sidelight.outcomes_since(subject, before, requests=11)["observed"] == 11.0
        assert sidelight.outcomes_since(subject, before, requests=15)["unaccounted"] == 4.0
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_settles_once_its_processes_are_quiet() -> None:
    busy = _subject(["-c", "while True: pass"])
    quiet = _subject(["-c", "import time; time.sleep(60)"])
    try:
        assert not sidelight.settle(busy, timeout_seconds=0.1)
        assert sidelight.settle(quiet, timeout_seconds=5.0)
    finally:
        busy.stop()
        quiet.stop()
    assert busy.process.returncode is not None


def _subject(arguments: list[str], control_port: int | None = None) -> Subject:
    process = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.DEVNULL)
    if arguments[-1] == "":
        process.wait()
    return Subject("sidelight", "", 0, process, control_port)
