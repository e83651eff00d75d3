"""The page of all statistics is what their docstrings say, and these say what they should."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.statistics import correction, cramer_von_mises, divergence, ordered, page, significance

DOCS = Path(__file__).parents[2] / "docs"
LISTED = [statistic for _, entries in page.SECTIONS for statistic, _ in entries]
PARTS = {divergence.shares, divergence.cumulative_difference}  # steps, not statistics
SOURCED_BY_ANOTHER = {"ad_p_value", "without_outliers", "per_look_level", "score"}


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "statistics-reference.md").read_text("utf-8") == page.render()
    assert "statistics-reference.md" in (DOCS / "statistics.md").read_text("utf-8")


def test_every_public_statistic_is_on_it() -> None:
    for module in (divergence, ordered, cramer_von_mises, significance, correction):
        public = [
            function
            for name, function in inspect.getmembers(module, inspect.isfunction)
            if function.__module__ == module.__name__ and not name.startswith("_")
        ]
        assert public
        assert set(public) - PARTS <= set(LISTED), module.__name__


@pytest.mark.parametrize("statistic", LISTED, ids=lambda one: one.__name__)
def test_it_has_an_example_and_a_source(statistic: Callable[..., Any]) -> None:
    words = inspect.getdoc(statistic) or ""
    assert ">>>" in words
    assert "Source:" in words or statistic.__name__ in SOURCED_BY_ANOTHER
