"""`python benchmarks/relay.py`: what Sidelight costs, beside its peers, in one run.

Only the command line; `suite` measures, `summary` computes, `report` prints and publishes.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import peers, report, suite, summary
from benchmarks.proxies.subject import UnavailableError


def main() -> int:
    """0: everything asked for was measured without an error; 1: not everything; 2: nothing."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _end)
    tools = peers.prepare(report.say, install=not arguments.no_install)
    if arguments.setup_only:
        return 0
    plan = suite.QUICK if arguments.quick else suite.FULL
    if arguments.rounds:
        plan = replace(plan, rounds=arguments.rounds)
    if arguments.only:
        plan = replace(plan, subjects=tuple(arguments.only))
    if arguments.rate:
        plan = replace(plan, rate=arguments.rate)
    try:
        results = suite.run(plan, tools, report.say)
    except UnavailableError as error:
        report.say(f"cannot measure: {error}")
        return 2
    except KeyboardInterrupt:
        report.say("interrupted; every process that was started has been ended")
        return 130
    figures = summary.summarise(results.samples)
    report.show(results, figures)
    report.write(results, figures)
    if arguments.publish:
        report.publish(results, figures)
    faulty = any(sample.load.errors or sample.broken for sample in results.samples)
    return 1 if results.absent or faulty else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="about a minute: fewer, shorter rounds"
    )
    parser.add_argument("--rounds", type=int, help="how many interleaved rounds")
    parser.add_argument("--rate", type=int, help="requests a second of the open loop")
    parser.add_argument(
        "--only",
        action="append",
        choices=sorted(suite.STARTERS),
        help="measure this; may be repeated",
    )
    parser.add_argument(
        "--publish", action="store_true", help="put the figures into docs/benchmarks.md"
    )
    parser.add_argument("--no-install", action="store_true", help="install no system package")
    parser.add_argument(
        "--setup-only", action="store_true", help="set the peers up, measure nothing"
    )
    return parser.parse_args()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
