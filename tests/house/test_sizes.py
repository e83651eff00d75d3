"""Rooms that a stranger can take in: files under 300 lines, functions under 40, few arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("monitor", "exporters", "dashboards", "examples", "benchmarks")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
MOST_ARGUMENTS = 7
DEEPEST = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NESTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _lines(function: Function) -> int:
    """Lines of code, its docstring not counted."""
    body = function.body
    start = body[0]
    if isinstance(start, ast.Expr) and isinstance(start.value, ast.Constant) and len(body) > 1:
        start = body[1]
    return (function.end_lineno or 0) - start.lineno + 1


def _depth(node: ast.AST, depth: int = 0) -> int:
    below = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        below = max(below, _depth(child, depth + (isinstance(child, _NESTS) and not chained)))
    return below


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_a_room_that_can_be_taken_in(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) < LONGEST_FILE
    assert ast.get_docstring(tree), "its first lines say what it is for"
    for function in _functions(tree):
        where = f"{function.name}, line {function.lineno}"
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        assert _lines(function) <= LONGEST_FUNCTION, where
        assert len([one for one in named if one.arg not in {"self", "cls"}]) <= MOST_ARGUMENTS, (
            where
        )
        assert _depth(function) <= DEEPEST, where


def test_it_reads_something() -> None:
    assert FILES
