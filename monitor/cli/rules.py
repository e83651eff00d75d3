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
def export(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")],
    grafana_url: Annotated[
        str, typer.Option(help="Where the alerts' links to dashboards lead.")
    ] = "http://localhost:3000",
) -> None:
    """Write Prometheus recording and alert rules."""
    from dashboards.rules import export_rules
    from monitor.errors import SidelightError

    try:
        written = export_rules(directory, grafana_url)
    except OSError as error:
        raise SidelightError(f"{error.filename or directory}: {error.strerror}") from error
    for path in written:
        Console().print(str(path), markup=False, soft_wrap=True)
