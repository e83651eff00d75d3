"""`scipy.special`, loaded when a function of it is first called.

It takes half a second to load; a process that is to observe at once, or that never compares
anything, should not wait for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever scipy has under that name
    return getattr(import_module("scipy.special"), name)
