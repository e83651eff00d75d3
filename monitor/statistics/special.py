"""`scipy.special`'s compiled functions, loaded when one of them is first called, and nothing else
of scipy.

The package around them loads 240 modules: half a second, and 24 MB that the monitor would keep for
its whole life.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

_PACKAGE = "scipy.special"
_COMPILED = ("_ufuncs", "_special_ufuncs")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever scipy has under that name
    if name.startswith("__"):
        raise AttributeError(name)  # `__test__`, for one, which whoever collects tests asks for
    for module in _compiled():
        if hasattr(module, name):
            return getattr(module, name)
    return getattr(import_module(_PACKAGE), name)


@cache
def _compiled() -> tuple[Any, ...]:
    """The extension modules; none where this scipy keeps them elsewhere, or is loaded anyway.

    They are looked for inside a package that is found but not run, and forgotten again.
    """
    if _PACKAGE in sys.modules:
        return ()
    spec = PathFinder.find_spec(_PACKAGE, import_module("scipy").__path__)
    if spec is None:
        return ()
    sys.modules[_PACKAGE] = module_from_spec(spec)
    try:
        return tuple(import_module(f"{_PACKAGE}.{name}") for name in _COMPILED)
    except ImportError:
        return ()
    finally:
        del sys.modules[_PACKAGE]
