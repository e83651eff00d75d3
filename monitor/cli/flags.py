"""A command with many options takes them as one value, a dataclass of options; and the options that
several commands have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

# Options that several commands have.
Target = Annotated[str | None, typer.Option(help="Column with the true outcome.")]
Prediction = Annotated[str | None, typer.Option(help="Column with the model's answer.")]
Probability = Annotated[
    list[str] | None,
    typer.Option(help="Column with a class's probability, COL or COL=CLASS; repeatable."),
]
AllFeatures = Annotated[
    str | None, typer.Option(help="Feature columns, comma-separated; default: all others.")
]
TaskName = Annotated[
    str | None, typer.Option(help="regression, binary or multiclass; default: by the target.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Everything, as JSON.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with pictures here.")]

Command = Callable[..., None]


def with_flags(flags: type[Any]) -> Callable[[Command], Command]:
    """Replaces a command's parameter `flags` by one option for each field of the dataclass."""

    def decorate(command: Command) -> Command:
        names = [field.name for field in fields(flags)]

        @wraps(command)
        def run(**given: Any) -> None:  # noqa: ANN401 - whatever the options hold
            own = {name: value for name, value in given.items() if name not in names}
            command(**own, flags=flags(**{name: given[name] for name in names}))

        kept = inspect.signature(command).parameters.values()
        hints = get_type_hints(command, include_extras=True)
        hints |= get_type_hints(flags, include_extras=True)
        parameters = [one for one in kept if one.name != "flags"]
        parameters += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
            )
            for field in fields(flags)
        ]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [one.replace(annotation=hints[one.name]) for one in parameters]
        )
        run.__annotations__ = {one.name: hints[one.name] for one in parameters}
        return run

    return decorate
