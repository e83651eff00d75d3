"""`sidelight dashboards export` and `sidelight dashboards publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from monitor.errors import SidelightError

app = typer.Typer(help="Grafana dashboards.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Grafana dashboards, and the files that provision them."""


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")],
    *,
    prometheus_url: Annotated[
        str, typer.Option(help="Prometheus, as Grafana reaches it.")
    ] = "http://prometheus:9090",
    alertmanager_url: Annotated[
        str, typer.Option(help="Alertmanager, as Grafana reaches it.")
    ] = "http://alertmanager:9093",
    dashboards_path: Annotated[
        str, typer.Option(help="Where Grafana will find the folder `dashboards`.")
    ] = "/var/lib/grafana/dashboards",
    scrape_interval: Annotated[
        str, typer.Option(help="How often Prometheus scrapes, for Grafana's rates.")
    ] = "15s",
) -> None:
    """Write the dashboards, and provisioning files for Grafana."""
    from dashboards.export import Surroundings, export_dashboards

    around = Surroundings(prometheus_url, alertmanager_url, dashboards_path, scrape_interval)
    try:
        written = export_dashboards(directory, around)
    except OSError as error:
        raise SidelightError(f"{error.filename or directory}: {error.strerror}") from error
    for path in written:
        Console().print(str(path), markup=False, soft_wrap=True)


@app.command()
def publish(
    url: Annotated[str, typer.Option(help="Grafana's address.")],
    token: Annotated[
        str,
        typer.Option(
            envvar="GRAFANA_TOKEN",
            help="A service account's token; better in the environment, where `ps` cannot see it.",
        ),
    ],
) -> None:
    """Push the dashboards into a running Grafana; again, and nothing changes."""
    try:
        from dashboards.publish import PublishError
        from dashboards.publish import publish as push
    except ImportError as error:
        missing = "grafana-client is missing: pip install 'sidelight[grafana]'"
        raise SidelightError(missing) from error
    try:
        published = push(url, token)
    except PublishError as error:
        raise SidelightError(str(error)) from error
    for one in published:
        line = f"{one.outcome}: {one.title}, {one.url}"
        Console().print(line, markup=False, soft_wrap=True)
