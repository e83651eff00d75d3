"""`python benchmarks/feedback.py`: predictions and labels a second, and none lost to SIGKILL.

Only the command line; `labels/` measures, and holds the figures against their bars.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from benchmarks.labels import kills, report, throughput  # noqa: E402 - after the path is known


def main() -> int:
    """0: every bar holds; 1: one does not."""
    arguments = _arguments()
    size = throughput.QUICK if arguments.quick else throughput.FULL
    figures, absent = throughput.run(size) if arguments.throughput else ([], "")
    rounds: list[kills.Round] = []
    if arguments.kill_rounds:
        print(f"seed {arguments.seed}", file=sys.stderr)
        with TemporaryDirectory(dir=Path.cwd()) as folder:
            rounds = kills.rounds(
                Path(folder), arguments.kill_rounds, arguments.labels, arguments.seed
            )
    command = " ".join(["python benchmarks/feedback.py", *sys.argv[1:]])
    results = report.Results(command, figures, absent, rounds)
    print(report.markdown(results))
    if arguments.publish:
        report.publish(results)
    return 0 if report.holds(results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="half a minute; figures are coarse")
    parser.add_argument("--kill-rounds", type=int, default=0, help="how often to kill the monitor")
    parser.add_argument("--labels", type=int, default=50_000, help="in each of these rounds")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--no-throughput", dest="throughput", action="store_false")
    parser.add_argument("--publish", action="store_true", help="into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
