"""A small subset of JSONPath (RFC 9535): member, index and wildcard; no filters, slices, unions or
descent.

Knows only parsed JSON values; what a path is used for is the caller's business.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>[^\W\d][\w-]*)
      | (?P<wild>\.\*|\[\*\])
      | \[(?P<index>-?(?:0|[1-9][0-9]{0,8}))\]
      | \[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""",
    re.VERBOSE,
)
_ESCAPE_OR_QUOTE = re.compile(r'\\.|"')
_REQUOTED = {"\\'": "'", '"': '\\"'}
_WILD = None


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A compiled path; `many` when it holds a wildcard and so selects a list of values."""

    expression: str
    steps: tuple[str | int | None, ...]

    @property
    def many(self) -> bool:
        """Whether the path selects any number of values rather than at most one."""
        return _WILD in self.steps

    def select(self, document: object) -> list[Any]:
        """Every value at the path, in document order; an empty list where nothing is there.

        >>> compile_path("$.rows[*].a").select({"rows": [{"a": 1}, {"b": 2}, {"a": 3}]})
        [1, 3]
        """
        found: list[Any] = [document]
        for step in self.steps:
            if step is _WILD:
                found = [child for value in found for child in _children(value)]
            else:
                found = [value[step] for value in found if _has(value, step)]
        return found


@lru_cache(maxsize=256)
def compile_path(expression: str) -> JsonPath:
    """`$.a['b c'][0][*]` as steps; ValueError says what is not understood.

    >>> compile_path("$.outputs[0]['class name'].*").steps
    ('outputs', 0, 'class name', None)
    """
    if not expression.startswith("$"):
        raise ValueError(f"{expression!r} is not a path: it starts with $")
    steps: list[str | int | None] = []
    at = 1
    while at < len(expression):
        step = _STEP.match(expression, at)
        if step is None:
            raise ValueError(
                f"{expression!r} is not understood from {expression[at:]!r} on: a path is made of "
                ".name, ['name'], [index] and [*]"
            )
        steps.append(_step_of(step))
        at = step.end()
    return JsonPath(expression, tuple(steps))


def _step_of(found: re.Match[str]) -> str | int | None:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    if found["quoted"] is not None:
        return _unquote(found["quoted"])
    return _WILD


def _unquote(quoted: str) -> str:
    inner = quoted[1:-1]
    if quoted[0] == "'":
        inner = _ESCAPE_OR_QUOTE.sub(lambda found: _REQUOTED.get(found[0], found[0]), inner)
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError:
        raise ValueError(f"{quoted} is not a name in quotes") from None


def _children(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


def _has(value: object, step: str | int | None) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value
