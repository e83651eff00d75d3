"""The commands: `sidelight …`. Each imports what it needs when it runs, so `--help` is quick."""

from __future__ import annotations

import sys

from monitor.errors import SidelightError

EXIT_ERROR = 2


def main() -> None:
    """Run the command line; a SidelightError is one line on standard error and exit 2."""
    from monitor.cli.commands import app

    try:
        app()
    except SidelightError as error:
        for line in fault_lines(error):
            print(f"sidelight: {line}", file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(EXIT_ERROR)


def fault_lines(error: SidelightError) -> list[str]:
    """One line a fault."""
    from monitor.errors import ConfigError

    if isinstance(error, ConfigError):
        return [f"{path}: {reason}" if path else reason for path, reason in error.faults]
    return [str(error)]
