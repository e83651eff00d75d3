"""`sidelight backtest`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from monitor.cli.compare import staged
from monitor.cli.flags import AsJson, Html, Prediction, Probability, Target, with_flags
from monitor.cli.options import names, probabilities

if TYPE_CHECKING:
    from monitor.comparison.backtest import BacktestOptions
    from monitor.engine import EngineSettings

# A log needs no server; a configuration without one is no fault here.
NO_UPSTREAM = "https://upstream.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestFlags:
    """What `backtest` can be told."""

    reference: Annotated[Path, typer.Option(help="A reference file.")]
    time: Annotated[str, typer.Option(help="Column with the time of each row.")]
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None
    window: Annotated[str | None, typer.Option(help="Instead of window.size, like 7d.")] = None
    pane: Annotated[str | None, typer.Option(help="Instead of window.pane, like 1h.")] = None
    target: Target = None
    prediction: Prediction = None
    probability: Probability = None
    features: Annotated[
        str | None, typer.Option(help="Feature columns, comma-separated; default: the reference's.")
    ] = None
    as_json: AsJson = False
    html: Html = None


@with_flags(BacktestFlags)
def backtest(
    log: Annotated[Path, typer.Argument(help="CSV or Parquet file of served rows.")],
    flags: BacktestFlags,
) -> None:
    """Which alerts the rules would have raised on a log, when, and why."""
    from monitor.comparison.backtest import backtest as replay
    from monitor.comparison.replayed import document, show
    from monitor.profile.reference import load

    options = _options(flags)
    reference = load(flags.reference)
    with staged() as stage:
        found = replay(log, reference, options, stage)
    if flags.html is not None:
        from monitor.comparison.replay_page import write

        write(found, flags.html)
    if flags.as_json:
        typer.echo(json.dumps(document(found), ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console())


def _options(flags: BacktestFlags) -> BacktestOptions:
    from monitor.comparison.backtest import BacktestOptions
    from monitor.comparison.parts import Parts

    by_class = probabilities(flags.probability or [])
    parts = Parts(flags.target, flags.prediction, by_class, names(flags.features))
    return BacktestOptions(flags.time, parts, _settings(flags))


def _settings(flags: BacktestFlags) -> EngineSettings:
    from monitor.config import load
    from monitor.service.settings import engine_settings

    given: dict[str, Any] = {
        "upstream": NO_UPSTREAM,
        "window.size": flags.window,
        "window.pane": flags.pane,
    }
    return engine_settings(load(flags.config, given))
