"""What several commands read from their options in the same way."""

from __future__ import annotations

from monitor.errors import ConfigError
from monitor.statistics.classes import TASKS, Task


def names(option: str | None) -> tuple[str, ...] | None:
    """Names with commas between them.

    >>> names("a, b"), names(None)
    (('a', 'b'), None)
    """
    return tuple(name.strip() for name in option.split(",")) if option else None


def probabilities(options: list[str]) -> dict[str, str]:
    """Class → column; `COL` alone is the positive class's.

    >>> probabilities(["p", "p_cat=cat"])
    {'1': 'p', 'cat': 'p_cat'}
    """
    found: dict[str, str] = {}
    for option in options:
        column, equals, name = option.rpartition("=")
        found[name if equals else "1"] = column if equals else option
    return found


def task_named(name: str | None) -> Task | None:
    """The task of that name; ConfigError where there is none."""
    if name is not None and name not in TASKS:
        raise ConfigError([("--task", f"{name!r} is not one of {', '.join(TASKS)}")])
    return TASKS.get(name or "")
