"""`python benchmarks/drift_quality.py`: false alarms, power, and a month without drift, beside the
peers.

Only the command line; `benchmarks/drift/` measures, and holds the figures against their bars.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

# Two processes at most, and each computes on one core: the arrays here are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from benchmarks.drift import report, suite  # noqa: E402 - after the path is known

# alibi-detect wants an older numpy than the others, so it has an environment of its own.
PEERS = [ROOT / name / "bin" / "python" for name in (".venv-peers", ".venv-alibi")]


def main() -> int:
    """0: every bar holds; 1: one does not."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _end)
    plan = suite.QUICK if arguments.quick else suite.Plan()
    if arguments.seeds:
        plan = replace(plan, seeds=arguments.seeds)
    results = suite.run(plan, arguments.peers, _say)
    report.show(results)
    if arguments.publish:
        report.publish(results)
    return 0 if report.holds(results) else 1


def _end(_: int, __: FrameType | None) -> None:
    """Nothing that was started may outlive the run."""
    for child in multiprocessing.active_children():
        child.terminate()
    raise SystemExit(143)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; figures are coarse")
    parser.add_argument("--seeds", type=int, help="simulated months of each kind (default 2)")
    parser.add_argument(
        "--peers",
        type=Path,
        nargs="*",
        default=PEERS,
        metavar="PYTHON",
        help="Pythons of environments with the peers (default: .venv-peers and .venv-alibi)",
    )
    parser.add_argument("--publish", action="store_true", help="into docs/statistics.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
