"""The catalog: names that Prometheus' conventions accept, and a page that says what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporters.catalog import METRICS, Kind, metric
from exporters.catalog_page import page

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m exporters.catalog_page > docs/metrics.md"


def test_names_are_unique_and_well_formed() -> None:
    names = [one.full_name for one in METRICS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"sidelight_[a-z0-9]+(_[a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_suffixes_say_the_type(one: object) -> None:
    found = metric(getattr(one, "name", ""))
    assert found.name.endswith("_total") == (found.kind is Kind.COUNTER)
    assert found.name.endswith("_info") == (found.kind is Kind.INFO)
    assert not found.unit or found.full_name.endswith(f"_{found.unit}")
    assert not {"model", "version"} & set(found.labels)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        metric("drift_scores")
