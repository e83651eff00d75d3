"""`python benchmarks/compare.py`: two files compared, beside the peers; a year of flights replayed.

Only the command line; `comparing/` measures, and holds the figures against their bars.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from benchmarks.comparing import report, suite  # noqa: E402 - after the path is known

PEERS = ROOT / ".venv-peers" / "bin" / "python"


def main() -> int:
    """0: every bar holds; 1: one does not."""
    arguments = _arguments()
    plan = suite.QUICK if arguments.quick else suite.Plan()
    formats = tuple(name for name in arguments.formats.split(",") if name)
    rounds = arguments.rounds or plan.rounds
    plan = replace(plan, formats=formats, replay=not arguments.no_replay, rounds=rounds)
    peers = {"nannyml": arguments.nannyml, "evidently": arguments.evidently}
    results = suite.run(plan, peers, _say)
    report.show(results)
    if arguments.publish:
        report.publish(results)
    return 0 if report.holds(results) else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one round")
    parser.add_argument("--formats", default="parquet,csv")
    parser.add_argument("--no-replay", action="store_true", help="files only")
    parser.add_argument("--rounds", type=int, help="of Sidelight's own (default 3)")
    for peer in ("evidently", "nannyml"):
        parser.add_argument(
            f"--{peer}", type=Path, default=PEERS, help=f"Python of an environment that has {peer}"
        )
    parser.add_argument("--publish", action="store_true", help="into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
