"""`python benchmarks/chaos.py`: what must hold while things break, against a real `sidelight run`.

Prints its seed; the same seed gives the same requests and the same chances. Exit status 1 where
anything did not hold. Only the command line; the scenarios are in `faults`.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

if not __package__:  # run as a script: find `benchmarks`, `tests` and `monitor` of this tree
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console
from rich.table import Table

from benchmarks.faults import limits, processes, published, readers, upstream
from benchmarks.faults.soak import soak
from benchmarks.faults.stage import Check, Stage

DEFAULT_SOAK_SECONDS = 60.0

Scenario = Callable[[Stage], None]

SCENARIOS: dict[str, Scenario] = {
    "monitor-killed": processes.monitor_killed,
    "monitor-stopped": processes.monitor_stopped,
    "relay-killed": processes.relay_killed,
    "broken-answers": upstream.broken_answers,
    "model-restarts": upstream.restarting,
    "term": processes.term_under_load,
    "second-term": processes.second_term,
    "slow-heads": limits.slow_heads,
    "connection-cap": limits.connection_cap,
    "files-exhausted": limits.files_exhausted,
    "large-bodies": limits.large_bodies,
    "slow-readers": readers.slow_readers,
    "footprint": limits.footprint,
}


def main() -> int:
    """0 where everything held, else 1."""
    arguments = _arguments()
    console = Console()
    chosen = dict(SCENARIOS)
    if arguments.soak:
        chosen["soak"] = partial(soak, seconds=arguments.soak)
    if arguments.only:
        chosen = {name: chosen[name] for name in arguments.only}
    busy = f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    console.print(f"seed {arguments.seed}; again with: --seed {arguments.seed}; {busy}")
    began = time.monotonic()
    found: dict[str, list[Check]] = {}
    for name, scenario in chosen.items():
        started = time.monotonic()
        found[name] = play(scenario, arguments.seed, quick=arguments.quick)
        held = all(check.held for check in found[name])
        took = time.monotonic() - started
        console.print(f"{name}: {'held' if held else '[red]did not hold[/red]'} ({took:.0f} s)")
    console.print(table(found))
    failed = sum(not check.held for checks in found.values() for check in checks)
    took = time.monotonic() - began
    console.print(f"{failed} did not hold; {took:.0f} s; seed {arguments.seed}")
    if arguments.publish:
        published.publish(found, f"{busy}; seed {arguments.seed}; {took:.0f} s")
    return 1 if failed else 0


def play(scenario: Scenario, seed: int, *, quick: bool) -> list[Check]:
    """One scenario on a stage of its own; one that fails by itself has not held."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        stage = Stage(Path(folder), seed, quick)
        try:
            scenario(stage)
        except Exception as error:  # noqa: BLE001 - the others are still to be played
            stage.check("the scenario itself", repr(error)[:300], "plays to its end", held=False)
        finally:
            stage.close()
    return stage.checks


def table(found: dict[str, list[Check]]) -> Table:
    """Every check, by scenario."""
    shown = Table("scenario", "must hold", "seen", "bar", "")
    for name, checks in found.items():
        for number, check in enumerate(checks):
            mark = "held" if check.held else "[red]NOT HELD[/red]"
            shown.add_row(name if number == 0 else "", check.name, check.seen, check.bar, mark)
        shown.add_section()
    return shown


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; no soak unless asked")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="60; 0 for none")
    parser.add_argument("--publish", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--only", nargs="+", choices=[*SCENARIOS, "soak"])
    arguments = parser.parse_args()
    if arguments.soak is None:
        wanted = not arguments.quick or "soak" in (arguments.only or ())
        arguments.soak = DEFAULT_SOAK_SECONDS if wanted else 0.0
    return arguments


if __name__ == "__main__":
    sys.exit(main())
