"""The top-level commands and their flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from monitor.cli import dashboards, reference, rules
from monitor.cli.backtest import backtest
from monitor.cli.compare import compare
from monitor.cli.feedback import feedback
from monitor.cli.inspect import inspect

app = typer.Typer(
    name="sidelight",
    help="A monitoring and drift-detection sidecar in front of any model server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(reference.app, name="reference")
app.add_typer(rules.app, name="rules")
app.add_typer(dashboards.app, name="dashboards")
app.command()(compare)
app.command()(backtest)
app.command()(feedback)
app.command()(inspect)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="YAML file with settings.")]


@app.command()
def run(
    config: ConfigOption = None,
    upstream: Annotated[str | None, typer.Option(help="URL of the model server.")] = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT for the model's clients.")] = None,
    control: Annotated[
        str | None, typer.Option(help="HOST:PORT for metrics, feedback and the page.")
    ] = None,
    reference_file: Annotated[
        str | None, typer.Option("--reference", help="Reference file, or `auto`.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where labels are kept.")] = None,
    workers: Annotated[int | None, typer.Option(help="Relay processes.")] = None,
) -> None:
    """Run the sidecar in front of a model server."""
    from monitor.config import load
    from monitor.service.launch import launch

    flags: dict[str, Any] = {
        "upstream": upstream,
        "listen": listen,
        "control": control,
        "reference": reference_file,
        "data_dir": str(data_dir) if data_dir else None,
        "workers": workers,
    }
    launch(load(config, flags), config, flags)


@app.command()
def check(config: Annotated[Path, typer.Argument(help="YAML file with settings.")]) -> None:
    """Name every fault of a configuration at once; exit 2 if there is one."""
    from monitor.config import load
    from monitor.service.checks import check as check_all

    check_all(load(config))
    Console().print(f"{config}: no faults", markup=False, soft_wrap=True)


@app.command()
def demo(
    *,
    headless: Annotated[bool, typer.Option("--headless", help="End by itself.")] = False,
    seconds: Annotated[float, typer.Option(min=20, help="How long the replay takes.")] = 60.0,
) -> None:
    """Show the whole story on this machine: real flights, drift, late labels, an alert."""
    from monitor.demo import run_demo

    raise typer.Exit(run_demo(headless=headless, seconds=seconds, console=Console()))
