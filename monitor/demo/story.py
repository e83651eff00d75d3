"""The demo from beginning to end: prepare, start, replay, hold the figures against pandas, tell.

Holds all parts of the demo; of the sidecar it knows the commands and the two ports.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import yaml
from rich.console import Console

from examples.flights.data import FEATURES, TARGET, later_flights, load_flights, training_flights
from examples.flights.replay import Replay, ReplaySettings, thinning
from examples.flights.train import STEPS, save, train
from monitor.demo.children import Children, free_ports
from monitor.demo.display import Display
from monitor.demo.history import History
from monitor.demo.picture import draw
from monitor.demo.receiver import SECRET_PREFIX, AlertReceiver
from monitor.demo.report import Outcome, shortcomings, show
from monitor.demo.settings import SECRET_VARIABLE, Addresses, label_delay_seconds, run_config
from monitor.demo.settings import window_seconds as window_seconds_of
from monitor.demo.sidecar import Counters, Sidecar
from monitor.demo.truth import Comparison, compare_totals, compare_window

INTERRUPTED = 130  # the shell's code for Ctrl-C
START_TIMEOUT_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.5
TOTALS_TIMEOUT_SECONDS = 10.0

_SIDELIGHT = (sys.executable, "-c", "from monitor.cli import main; main()")


@dataclass(frozen=True, slots=True)
class _Stage:
    """What stands ready once everything has started."""

    addresses: Addresses
    flights: pd.DataFrame  # of the whole year
    seconds: float
    children: Children
    receiver: AlertReceiver
    display: Display

    @property
    def every(self) -> int:
        return thinning(len(later_flights(self.flights)), self.seconds)

    def replay(self, offset: int) -> Replay:
        """A pass over April to December; each offset has flights of its own."""
        flights = later_flights(self.flights, self.every, offset % self.every)
        settings = ReplaySettings(
            self.addresses.data_url,
            self.addresses.control_url,
            self.seconds,
            label_delay_seconds(self.seconds),
        )
        return Replay(flights, settings)


def tell(*, headless: bool, seconds: float, console: Console, picture: Path | None = None) -> int:
    """Run the demo; 0 where all that it must show was seen, or where Ctrl-C ended the stay.

    `picture` is an SVG file to draw the tables into.
    """
    directory = Path(tempfile.mkdtemp(prefix="sidelight-demo-"))
    clean = False
    try:
        with _sigterm_as_interrupt():
            outcome = _tell(directory, headless=headless, seconds=seconds, console=console)
            if picture is not None:
                draw(outcome, picture)
            clean = not headless or not shortcomings(outcome)
            return 0 if clean else 1
    except KeyboardInterrupt:
        console.print("stopped", highlight=False)
        clean = True
        return INTERRUPTED if headless else 0
    finally:
        if clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            console.print(f"logs and data are kept in {directory}", highlight=False)


def _tell(directory: Path, *, headless: bool, seconds: float, console: Console) -> Outcome:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
    with AlertReceiver(secret) as receiver, Children(directory) as children:
        model_port, data_port, control_port = free_ports(3)
        addresses = Addresses(model_port, data_port, control_port, receiver.url)
        display = Display(console)
        with display.showing():
            flights = _prepare(directory, children, display)
            stage = _Stage(addresses, flights, seconds, children, receiver, display)
            _start(stage, directory, secret)
            _print_addresses(addresses, console)
            outcome = asyncio.run(_play(stage))
        show(outcome, console)
        for said in shortcomings(outcome):
            console.print(f"[red]✗[/red] {said}", highlight=False)
        if headless:
            return outcome
        console.print("\nIt goes on with other flights of the year; Ctrl-C ends it.")
        _print_addresses(addresses, console)
        with display.showing():
            asyncio.run(_stay(stage))
        return outcome


def _prepare(directory: Path, children: Children, display: Display) -> pd.DataFrame:
    """Train, and build the reference with the command that a user would use; the flights."""
    step = display.step("flights of 2013 → table", 1)
    flights = load_flights()
    display.advance(step)
    step = display.step("training on January to March", STEPS)
    trained = train(training_flights(flights), lambda: display.advance(step))
    _, table = save(trained, directory)
    step = display.step("sidelight reference build", 1)
    build = ["reference", "build", str(table), "--output", str(directory / "reference.json")]
    roles = ["--target", TARGET, "--prediction", "prediction", "--features", ",".join(FEATURES)]
    command = [*_SIDELIGHT, *build, *roles, "--task", "regression"]
    children.run("sidelight reference build", command, START_TIMEOUT_SECONDS)
    display.advance(step)
    return flights


def _start(stage: _Stage, directory: Path, secret: str) -> None:
    """The model's server and the sidecar before it, each waited for."""
    step = stage.display.step("model server, then Sidelight", 2)
    addresses, children = stage.addresses, stage.children
    model = ["--model", str(directory / "model.joblib"), "--port", str(addresses.model_port)]
    # One thread for the model: on a small machine its idle ones would spin against everyone else.
    children.start(
        "model server",
        [sys.executable, "-m", "examples.flights.server", *model],
        {"OMP_NUM_THREADS": "1"},
    )
    children.wait_until_answers(f"{addresses.model_url}/health", START_TIMEOUT_SECONDS)
    stage.display.advance(step)
    rows = len(later_flights(stage.flights, stage.every))
    config = directory / "config.yaml"
    config.write_text(
        yaml.safe_dump(run_config(addresses, directory, stage.seconds, rows)), "utf-8"
    )
    children.start(
        "sidelight run",
        [*_SIDELIGHT, "run", "--config", str(config)],
        {SECRET_VARIABLE: secret},
    )
    children.wait_until_answers(f"{addresses.control_url}/readyz", START_TIMEOUT_SECONDS)
    stage.display.advance(step)


async def _play(stage: _Stage) -> Outcome:
    """The first pass, watched, and then held against pandas."""
    replay, history = stage.replay(0), History()
    async with httpx.AsyncClient(base_url=stage.addresses.control_url, timeout=5.0) as client:
        sidecar = Sidecar(client)
        await _watched(stage, replay, sidecar, history)
        # What follows is the end of the traffic, whose alerts say nothing of the flights.
        deliveries = tuple(stage.receiver.deliveries)
        window = await _check_window(sidecar, replay, window_seconds_of(stage.seconds))
        counters, totals = await _check_totals(sidecar, replay)
    return Outcome(
        seconds=stage.seconds,
        every=stage.every,
        sent_rows=len(replay.flights),
        answered_rows=replay.answered_rows,
        failed_requests=replay.failed_requests,
        labelled_rows=replay.journal.labelled_rows,
        history=history,
        counters=counters,
        totals=totals,
        window=window,
        deliveries=deliveries,
        refused_deliveries=stage.receiver.refused,
    )


async def _stay(stage: _Stage) -> None:
    """Passes over the other flights, until someone ends it."""
    async with httpx.AsyncClient(base_url=stage.addresses.control_url, timeout=5.0) as client:
        for offset in itertools.count(1):
            await _watched(stage, stage.replay(offset), Sidecar(client), History())


async def _watched(stage: _Stage, replay: Replay, sidecar: Sidecar, history: History) -> None:
    """Run a replay and look at the sidecar twice a second; DemoError if a process dies."""
    step = stage.display.step("flights", len(replay.flights))
    running = asyncio.create_task(replay.run())
    try:
        while not running.done():
            await asyncio.wait([running], timeout=LOOK_EVERY_SECONDS)
            stage.children.check()
            look = await sidecar.look()
            if look is not None:
                history.see(look, replay.stands_at)
            seen = history, stage.receiver.deliveries
            stage.display.replayed(step, replay.answered_rows, replay.stands_at, seen)
        await running
    finally:
        running.cancel()


async def _check_window(
    sidecar: Sidecar, replay: Replay, timeout_seconds: float
) -> Comparison | None:
    """Look until one window's rows are known without doubt and are all joined."""
    ends = time.monotonic() + timeout_seconds
    comparison, same_rows = None, False
    while time.monotonic() < ends and not same_rows:
        look = await sidecar.look()
        if look is not None:
            comparison = compare_window(look, replay.journal, replay.flights) or comparison
            same_rows = comparison is not None and comparison.same_rows
        await asyncio.sleep(LOOK_EVERY_SECONDS / 4)
    return comparison


async def _check_totals(
    sidecar: Sidecar, replay: Replay
) -> tuple[Counters | None, Comparison | None]:
    """Read the counters until every posted label is in them, for a bounded time."""
    ends = time.monotonic() + TOTALS_TIMEOUT_SECONDS
    while True:
        counters = await sidecar.counters()
        posted = replay.journal.labelled_rows
        if (counters is not None and counters.labels >= posted) or time.monotonic() > ends:
            break
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    if counters is None:
        return None, None
    return counters, compare_totals(counters, replay.journal, replay.flights)


def _print_addresses(addresses: Addresses, console: Console) -> None:
    for name, url in {
        "the page": f"{addresses.control_url}/",
        "metrics": f"{addresses.control_url}/metrics",
        "API": f"{addresses.control_url}/docs",
        "the model, through Sidelight": addresses.data_url,
    }.items():
        console.print(f"  {name:<30} {url}", highlight=False)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: children first."""
    # A shell starts background jobs with SIGINT ignored; then it would not end the demo either.
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: lambda *_: signal.raise_signal(signal.SIGINT),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
