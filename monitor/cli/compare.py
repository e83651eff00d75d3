"""`sidelight compare`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from monitor.cli.flags import (
    AllFeatures,
    AsJson,
    Html,
    Prediction,
    Probability,
    Target,
    TaskName,
    with_flags,
)
from monitor.cli.options import names, probabilities, task_named

if TYPE_CHECKING:
    from monitor.comparison.compare import CompareOptions
    from monitor.comparison.database import Stage

DRIFT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareFlags:
    """What `compare` can be told."""

    as_json: AsJson = False
    html: Html = None
    target: Target = None
    prediction: Prediction = None
    probability: Probability = None
    features: AllFeatures = None
    columns: Annotated[
        str | None, typer.Option(help="Compare these columns only, comma-separated.")
    ] = None
    task: TaskName = None
    fdr: Annotated[
        float, typer.Option(min=1e-12, max=1.0, help="Share of false calls among all calls.")
    ] = 0.01
    min_effect: Annotated[float, typer.Option(min=0.0, help="Smaller movements are none.")] = 0.1
    min_rows: Annotated[int, typer.Option(min=2, help="Fewer rows are no answer.")] = 100
    together: Annotated[
        bool, typer.Option(help="Ask whether a model can tell the two files apart.")
    ] = True


@with_flags(CompareFlags)
def compare(
    reference: Annotated[Path, typer.Argument(help="Reference file, or CSV or Parquet file.")],
    current: Annotated[Path, typer.Argument(help="CSV or Parquet file.")],
    flags: CompareFlags,
) -> None:
    """Compare two files: exit 0 without drift, 1 with drift, 2 on an error."""
    raise typer.Exit(_run(reference, current, flags))


def _run(reference: Path, current: Path, flags: CompareFlags) -> int:
    from monitor.comparison.compare import compare as compare_files
    from monitor.comparison.document import document
    from monitor.comparison.terminal import show

    options = _options(flags)
    with staged() as stage:
        found = compare_files(reference, current, options, created_at=time.time(), stage=stage)
    if flags.html is not None:
        from monitor.comparison.page import write

        write(found, flags.html)
    if flags.as_json:
        typer.echo(json.dumps(document(found), ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console())
    return DRIFT if found.drift else 0


def _options(flags: CompareFlags) -> CompareOptions:
    from monitor.comparison.compare import CompareOptions
    from monitor.comparison.parts import Parts
    from monitor.comparison.verdict import Rule

    by_class = probabilities(flags.probability or [])
    features, only = names(flags.features), names(flags.columns)
    parts = Parts(flags.target, flags.prediction, by_class, features, only)
    rule = Rule(flags.fdr, flags.min_effect, flags.min_rows)
    return CompareOptions(parts, rule, task_named(flags.task), together=flags.together)


@contextmanager
def staged() -> Iterator[Stage | None]:
    """A bar on standard error that says what is being done; nothing where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    shown = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*shown, console=console, transient=True) as progress:
        bar = progress.add_task("", total=None)

        def stage(doing: str, done: float | None) -> None:
            total = None if done is None else 1.0
            progress.update(bar, description=doing, completed=done or 0.0, total=total)

        yield stage
