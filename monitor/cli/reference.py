"""`sidelight reference build` and `sidelight reference show`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor.cli.flags import AllFeatures, Prediction, Probability, Target, TaskName, with_flags
from monitor.cli.importances import read_importances
from monitor.cli.options import names, probabilities, task_named
from monitor.codec.imported import DescriptionError, describe
from monitor.profile.assess import Assessor
from monitor.profile.build import BuildOptions, build_from_file
from monitor.profile.estimate import with_estimator
from monitor.profile.extend import with_segments
from monitor.profile.reference import Reference, load, render, save
from monitor.schema import Role
from monitor.statistics.performance import classification_metrics, regression_metrics

app = typer.Typer(help="References: data with accepted behaviour.", no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFlags:
    """What `reference build` can be told."""

    output: Annotated[Path, typer.Option(help="Where the reference goes.")]
    target: Target = None
    prediction: Prediction = None
    probability: Probability = None
    features: AllFeatures = None
    task: TaskName = None
    mlmodel: Annotated[
        Path | None, typer.Option(help="MLflow's MLmodel file: its inputs are the features.")
    ] = None
    openapi: Annotated[
        Path | None, typer.Option(help="OpenAPI document: its POST body has the features.")
    ] = None
    metadata: Annotated[
        Path | None, typer.Option(help="Open Inference v2 model metadata: likewise.")
    ] = None
    importance: Annotated[
        Path | None,
        typer.Option(
            help="JSON or CSV, feature and weight; default: what each says of the answer."
        ),
    ] = None
    time: Annotated[
        str | None,
        typer.Option(help="Column with the moment of each row: for ages, and the data's span."),
    ] = None
    segments: Annotated[
        str | None,
        typer.Option(help="Feature columns whose values are each compared by themselves too."),
    ] = None
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Fit what estimates performance before labels come."),
    ] = False


@app.command()
@with_flags(BuildFlags)
def build(
    data: Annotated[Path, typer.Argument(help="CSV or Parquet file.")], flags: BuildFlags
) -> None:
    """Build a reference from a file of rows that were fine."""
    options = BuildOptions(
        target=flags.target,
        prediction=flags.prediction,
        probabilities=probabilities(flags.probability or []),
        features=names(flags.features) or _described(flags),
        task=task_named(flags.task),
        importance=None if flags.importance is None else read_importances(flags.importance),
        time=flags.time,
    )
    reference = _read(data, options)
    if flags.segments:
        reference = with_segments(reference, data, options, names(flags.segments) or ())
    if flags.estimate:
        reference = with_estimator(reference, data, options)
    save(reference, flags.output)
    Console().print(
        f"{flags.output}: {reference.rows:,} rows, {len(reference.columns)} columns", soft_wrap=True
    )


def _described(flags: BuildFlags) -> tuple[str, ...] | None:
    """The features' names from the model's own description."""
    path = flags.mlmodel or flags.openapi or flags.metadata
    if path is None:
        return None
    try:
        found = describe(path.read_bytes())
    except OSError as error:
        raise DescriptionError(f"cannot read {path}: {error.strerror}") from None
    except DescriptionError as error:
        raise DescriptionError(f"{path}: {error}") from None
    if not found.names:
        raise DescriptionError(f"{path}: one wide tensor names no features; use --features")
    return found.names


def _read(data: Path, options: BuildOptions) -> Reference:
    """The reference of a file, with a progress bar where someone looks."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task(f"reading {data.name}", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        return build_from_file(
            data, options, created_at=time.time(), score=_score, progress=advance
        )


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="A reference file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The whole file, as JSON.")] = False,
) -> None:
    """Show a reference's columns, kinds, bins and performance."""
    reference = load(file)
    if as_json:
        typer.echo(json.dumps(render(reference), ensure_ascii=False))
        return
    _print_columns(reference, Console())
    if reference.performance is not None:
        Console().print(_performance_table(reference))


def _print_columns(reference: Reference, console: Console) -> None:
    """One table a role, narrow enough for 80 columns."""
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(reference.created_at))
    console.print(f"{reference.rows:,} rows · {reference.task or 'no task'} · made {made}")
    console.print(f"digest {reference.digest}", soft_wrap=True)
    if reference.span is not None:
        first, last = (time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(s)) for s in reference.span)
        console.print(f"data from {first} to {last}")
    if reference.left_out:
        console.print(f"known, not watched: {', '.join(reference.left_out)}", soft_wrap=True)
    if reference.segments:
        names = ", ".join(dict.fromkeys(one.column for one in reference.segments))
        console.print(f"{len(reference.segments)} segments of {names}", soft_wrap=True)
    if reference.estimator is not None:
        console.print(f"estimates performance, fitted on {reference.estimator.rows:,} rows")
    now = Assessor(reference.layout, reference.counts).assess(reference.counts).current
    for role in (Role.FEATURE, Role.PREDICTION):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(role.value, overflow="fold", min_width=10)
        table.add_column("kind", no_wrap=True)
        for name in ("bins", "missing", "mean", "stddev", "min", "max"):
            table.add_column(name, justify="right", no_wrap=True)
        for index, profile in enumerate(reference.layout.columns):
            column = profile.column
            if column.role is role:
                numbers = (now.mean[index], now.stddev[index], column.minimum, column.maximum)
                table.add_row(
                    column.name,
                    column.kind.value,
                    str(len(profile.bins)),
                    f"{now.missing_ratio[index]:.1%}",
                    *map(_number, numbers),
                )
        console.print(table)


def _performance_table(reference: Reference) -> Table:
    assert reference.performance is not None  # noqa: S101 - the caller asked
    table = Table(
        box=box.SIMPLE_HEAD, title=f"performance on {reference.performance.rows:,} labelled rows"
    )
    table.add_column("metric")
    table.add_column("value", justify="right")
    for name, value in reference.performance.metrics.items():
        table.add_row(name, _number(value))
    return table


def _number(value: float | None) -> str:
    """Four digits; large numbers are written out: 12,050 reads better than 1.205e+04."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e6 else f"{value:.4g}"


def _score(
    task: str,
    labels: Sequence[object],
    predictions: Sequence[object],
    probabilities: Mapping[str, Sequence[object]] | None,
) -> dict[str, float]:
    if task == "regression":
        return regression_metrics(labels, predictions)
    return classification_metrics(labels, predictions, probabilities)
