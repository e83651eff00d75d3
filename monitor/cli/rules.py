"""`sidelight rules export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(help="Prometheus rules.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Prometheus recording and alert rules."""


@app.command()
def export(directory: Annotated[Path, typer.Argument(help="Where the files go.")]) -> None:
    """Write Prometheus recording and alert rules."""
    from dashboards.rules import export_rules

    for path in export_rules(directory):
        Console().print(path, soft_wrap=True)
