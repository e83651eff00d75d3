"""`sidelight feedback`: labels from a file, or a source's labels taken out again."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.console import Console

from monitor.errors import SidelightError

if TYPE_CHECKING:
    from monitor.upload.progress import Progress
    from monitor.upload.rows import Columns
    from monitor.upload.sender import Sender

EXIT_REJECTED = 1


@dataclass(frozen=True)
class Flags:
    """The command's argument and options, in one table: more than a function should take."""

    file: Annotated[Path | None, typer.Argument(help="CSV or Parquet file with labels.")] = None
    id_column: Annotated[
        str, typer.Option("--id", metavar="COLUMN", help="Holds the prediction's id.")
    ] = "prediction_id"
    label: Annotated[str, typer.Option(metavar="COLUMN", help="Holds the label.")] = "label"
    row: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Holds the row within its request.")
    ] = None
    observed_at: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Holds when the label became known.")
    ] = None
    url: Annotated[str, typer.Option(help="The control port.")] = "http://127.0.0.1:8001"
    token: Annotated[
        str | None, typer.Option(envvar="SIDELIGHT_TOKEN", help="Bearer token for writes.")
    ] = None
    source: Annotated[str | None, typer.Option(help="Who says so; kept with each label.")] = None
    revoke: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Take out all its labels instead.")
    ] = None
    restart: Annotated[
        bool, typer.Option("--restart", help="Do not go on where an earlier upload ended.")
    ] = False


def feedback(**given: Any) -> None:  # noqa: ANN401 - as Flags says
    """Send the labels of a file, or take a source's labels out again.

    Exit 0: all were taken; 1: some were rejected; 2: an error.
    """
    import httpx

    from monitor.upload.sender import ANSWER_SECONDS, Sender

    flags = Flags(**given)
    if (flags.file is None) == (flags.revoke is None):
        raise SidelightError("name a file with labels, or --revoke SOURCE")
    headers = {"authorization": f"Bearer {flags.token}"} if flags.token else {}
    try:
        client = httpx.Client(base_url=flags.url, headers=headers, timeout=ANSWER_SECONDS)
    except httpx.InvalidURL as error:
        raise SidelightError(f"--url {flags.url}: {error}") from None
    console = Console(stderr=True)
    with client:
        sender = Sender(
            client,
            source=flags.source,
            waiting=lambda why: console.print(f"waiting: {why}", style="dim", markup=False),
        )
        if flags.revoke is not None:
            labels = sender.revoke(flags.revoke)
            Console().print(f"{labels} labels of {flags.revoke} taken out", markup=False)
        elif flags.file is not None:
            _send(sender, flags, flags.file)
    if sender.summary.rejected:
        raise typer.Exit(EXIT_REJECTED)


feedback.__signature__ = inspect.signature(  # type: ignore[attr-defined]  # typer reads it
    Flags, eval_str=True
)
feedback.__annotations__ = get_type_hints(Flags, include_extras=True)


def _send(sender: Sender, flags: Flags, file: Path) -> None:
    from monitor.upload.progress import Progress
    from monitor.upload.rows import Columns

    if not file.is_file():
        raise SidelightError(f"{file}: there is no such file")
    progress = Progress(file, flags.url, flags.source)
    if flags.restart:
        progress.forget()
    _upload(
        sender, progress, file, Columns(flags.id_column, flags.label, flags.row, flags.observed_at)
    )


def _upload(sender: Sender, progress: Progress, file: Path, columns: Columns) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from monitor.upload.rows import count_rows, pieces

    without = 0
    console = Console(stderr=True)
    shown = (TextColumn("labels"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    if progress.rows:
        console.print(f"going on after row {progress.rows}", markup=False)
    with Bar(*shown, console=console, transient=True) as bar:
        task = bar.add_task("labels", total=count_rows(file), completed=progress.rows)
        for piece in pieces(file, columns, progress.rows):
            sender.send(piece.items)
            without += piece.rows - len(piece.items)
            progress.advance(piece.rows)
            bar.advance(task, piece.rows)
    progress.forget()
    _say(sender, without)


def _say(sender: Sender, without: int) -> None:
    summary = sender.summary
    told = [f"{count} {outcome}" for outcome, count in summary.outcomes.items() if count]
    if summary.rejected:
        told.append(f"{summary.rejected} rejected")
    if without:
        told.append(f"{without} rows without an id or a label")
    Console().print(f"{summary.sent} labels sent: {', '.join(told) or 'nothing'}", markup=False)
    for reason in summary.reasons:
        Console(stderr=True).print(f"rejected: {reason}", markup=False)
