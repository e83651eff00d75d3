"""Runs the rounds: starts origin and proxies, takes a sample of each in turn, ends them all.

Knows which proxies there are and how long a sample takes; computes no statistic, prints nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks import measure, payload
from benchmarks.load import Load, LoadError, closed_loop, open_loop
from benchmarks.proxies import envoy, haproxy, nginx, python, sidelight
from benchmarks.proxies.subject import Place, Subject, Tools, UnavailableError

DIRECT = "direct"
SIDELIGHT = "sidelight"
STARTERS: Mapping[str, Callable[[Place], Subject]] = {
    "nginx": nginx.start_proxy,
    "haproxy": haproxy.start_proxy,
    "envoy": envoy.start_proxy,
    "fastapi+httpx": python.start_fastapi,
    "aiohttp": python.start_aiohttp,
    SIDELIGHT: sidelight.start_proxy,
}
SEED = 20131001
BODIES = 1024
SETTLE_SECONDS = 20.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; seconds are whole because wrk takes no other."""

    rounds: int
    seconds: Mapping[int, int]  # connections → seconds of a sample
    rate: int
    rate_seconds: float
    rated: frozenset[str] = frozenset(
        {"nginx", "envoy", SIDELIGHT}
    )  # who can serve the rate on one core
    subjects: tuple[str, ...] = tuple(STARTERS)


FULL = Plan(rounds=5, seconds={16: 3, 1: 2}, rate=5000, rate_seconds=5.0)
QUICK = Plan(rounds=2, seconds={16: 1, 1: 1}, rate=5000, rate_seconds=2.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject under one load in one round."""

    subject: str
    mode: str
    round: int
    load: Load
    cpu_seconds: Mapping[str, float]  # by part
    rss_bytes: Mapping[str, int]  # by part
    foreign_ratio: float  # share of the machine that others used meanwhile
    broken: str  # why its figures mean nothing; empty where they do
    outcomes: Mapping[str, float]  # of the exchanges offered meanwhile; empty without observation


@dataclass(slots=True)
class Results:
    """All samples of a run, and what a reader must know to judge them."""

    plan: Plan
    machine: dict[str, str]
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What every sample needs."""

    wrk: str
    bodies: Path
    load_cores: set[int]


def run(plan: Plan, tools: Tools, say: Say) -> Results:
    """Every sample of the plan; UnavailableError without wrk, nginx or a second core."""
    cores = sorted(os.sched_getaffinity(0))
    if tools.wrk is None or tools.nginx is None:
        raise UnavailableError("wrk (the load) and nginx (the origin) are needed")
    if len(cores) < 2:
        raise UnavailableError("two cores are needed: one for the proxy, one for load and origin")
    results = Results(plan, measure.machine())
    results.machine["load_before"] = f"{os.getloadavg()[0]:.2f}"
    started = time.monotonic()
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sidelight-bench-"))
        )
        bodies = directory / "bodies.jsonl"
        bodies.write_bytes(b"\n".join(payload.bodies(BODIES, SEED)) + b"\n")
        here = Place(directory, frozenset(cores[1:]), frozenset(cores[1:]), 0, tools)
        origin = nginx.start_origin(here)
        stack.callback(origin.stop)
        place = replace(here, proxy_cores=frozenset(cores[:1]), origin_port=origin.port)
        subjects = _start_all(plan, place, results, stack, say)
        bench = Bench(tools.wrk, bodies, set(cores[1:]))
        results.versions = {one.name: one.version for one in subjects}
        subjects.append(replace(origin, name=DIRECT, parts=lambda _: {}))
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            turn = number % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                if subject.name not in results.absent:
                    _take(results, bench, subject, number, say)
    results.seconds = time.monotonic() - started
    return results


def _start_all(
    plan: Plan, place: Place, results: Results, stack: ExitStack, say: Say
) -> list[Subject]:
    subjects = []
    for name in plan.subjects:
        try:
            subject = STARTERS[name](place)
        except UnavailableError as error:
            results.absent[name] = str(error)
            say(f"{name} is not measured: {error}")
        else:
            stack.callback(subject.stop)
            subjects.append(subject)
    return subjects


def _take(results: Results, bench: Bench, subject: Subject, number: int, say: Say) -> None:
    """One round of one subject; who fails is asked no more, and what was measured of it is kept."""
    try:
        _probe(subject)
        for name, give in _loads(results.plan, bench, subject).items():
            sample = _sample(subject, name, number, give)
            results.samples.append(sample)
            if sample.broken:
                say(f"{subject.name}, {name}: not counted, {sample.broken}")
    except (UnavailableError, LoadError, OSError) as error:
        results.absent[subject.name] = f"from round {number + 1} on: {error}"
        say(f"{subject.name} is not measured {results.absent[subject.name]}")


def _loads(plan: Plan, bench: Bench, subject: Subject) -> dict[str, Callable[[], Load]]:
    port = subject.port
    loads: dict[str, Callable[[], Load]] = {
        mode(connections): partial(
            closed_loop, bench.wrk, port, bench.bodies, bench.load_cores, (connections, seconds)
        )
        for connections, seconds in plan.seconds.items()
    }
    if subject.name in plan.rated:
        loads[f"{plan.rate}/s"] = partial(
            open_loop, port, bench.bodies, bench.load_cores, plan.rate, plan.rate_seconds
        )
    return loads


def mode(connections: int) -> str:
    """The name of a closed-loop mode.

    >>> mode(1), mode(16)
    ('1 connection', '16 connections')
    """
    return f"{connections} connection{'s' if connections > 1 else ''}"


def _sample(subject: Subject, name: str, number: int, give: Callable[[], Load]) -> Sample:
    observing = subject.control_port is not None
    counted = sidelight.observations(subject) if observing else {}
    parts = subject.pids()
    before = {part: measure.usage(pids) for part, pids in parts.items()}
    busy, own = measure.machine_busy_seconds(), measure.own_cpu_seconds()
    began = time.monotonic()
    seen = give()
    capacity = (time.monotonic() - began) * len(os.sched_getaffinity(0))
    foreign = (measure.machine_busy_seconds() - busy) - (measure.own_cpu_seconds() - own)
    # What is still queued belongs to these requests too: CPU is read when the queue is empty.
    settled = sidelight.settle(subject, SETTLE_SECONDS) if observing else True
    after = {part: measure.usage(pids) for part, pids in parts.items()}
    broken = "" if settled else f"still busy {SETTLE_SECONDS:.0f} s after the load"
    if subject.pids() != parts:
        broken = "a process was replaced meanwhile"
    outcomes = sidelight.outcomes_since(subject, counted, seen.requests) if observing else {}
    return Sample(
        subject=subject.name,
        mode=name,
        round=number,
        load=seen,
        cpu_seconds={p: after[p].cpu_seconds - before[p].cpu_seconds for p in parts},
        rss_bytes={p: after[p].rss_bytes for p in parts},
        foreign_ratio=max(0.0, foreign / capacity),
        broken=broken,
        outcomes=outcomes,
    )


def _probe(subject: Subject) -> None:
    """One request, answered as the origin answers; else UnavailableError: it would be no figure."""
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=5)
    try:
        body = payload.bodies(1, SEED)[0]
        connection.request("POST", payload.PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or "prediction" not in json.loads(text):
            raise UnavailableError(f"{subject.name} answered {answer.status} with {text[:200]!r}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UnavailableError(f"{subject.name} did not answer a request: {error!r}") from error
    finally:
        connection.close()
