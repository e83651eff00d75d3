"""A command with many options takes them as one value: a dataclass of options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, get_type_hints

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
