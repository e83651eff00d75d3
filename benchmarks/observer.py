"""`python benchmarks/observer.py`: rows decoded and counted a second, beside whylogs; wide models.

Only the command line; `observing/` measures, and holds the figures against their bars.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from benchmarks.observing import report, suite  # noqa: E402 - after the path is known

PEERS = ROOT / ".venv-peers" / "bin" / "python"


def main() -> int:
    """0: every bar holds; 1: one does not."""
    arguments = _arguments()
    results = suite.run(suite.QUICK if arguments.quick else suite.FULL, arguments.peers)
    report.show(results)
    if arguments.publish:
        report.publish(results)
    return 0 if report.holds(results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="half a minute; figures are coarse")
    parser.add_argument(
        "--peers", type=Path, default=PEERS, help="Python of an environment that holds whylogs"
    )
    parser.add_argument("--publish", action="store_true", help="into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
