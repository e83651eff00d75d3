"""A comparison's page: one file, nothing from outside, and whatever the data hold is text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitor.comparison.compare import CompareOptions, compare
from monitor.comparison.page import comparison_page, write
from monitor.comparison.shapes import BARS, bars
from monitor.comparison.verdict import Comparison
from monitor.errors import SidelightError
from tests.comparison.conftest import mixed
from tests.comparison.conftest import write as write_table

EVIL = "<img src=x onerror=alert(1)></script><b>"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("page")
    before, now = mixed(0), mixed(1, shift=1.0)
    for table in (before, now):
        table[EVIL] = pa.array([EVIL, "b"] * 1500)
    one, other = write_table(before, folder / "a.parquet"), write_table(now, folder / "b.parquet")
    return compare(one, other, CompareOptions(together=False), created_at=0.0)


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
            self._in_script = True

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def test_what_the_data_hold_is_text(found: Comparison) -> None:
    page = comparison_page(found)
    markup = _Markup()
    markup.feed(page)
    names = [tag for tag, _ in markup.tags]
    assert "img" not in names
    assert "b" not in names
    assert len(markup.scripts) == 3
    assert html.escape(EVIL) in page
    pictures = json.loads(markup.scripts[0])
    assert any(one["title"] == EVIL for one in pictures)


def test_nothing_is_fetched_and_only_its_own_scripts_run(found: Comparison) -> None:
    markup = _Markup()
    markup.feed(comparison_page(found))
    assert not [a for _, a in markup.tags if {"src", "href"} & a.keys()]
    policy = next(a["content"] for t, a in markup.tags if a.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'")
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    ran = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in markup.scripts[1:]
    }
    assert ran == allowed


def test_each_column_has_a_picture_with_a_title_and_a_description(found: Comparison) -> None:
    markup = _Markup()
    markup.feed(comparison_page(found))
    tags = [tag for tag, _ in markup.tags]
    assert tags.count("figure") == tags.count("figcaption") == len(found.readings)
    plots = [a for _, a in markup.tags if a.get("class") == "plot"]
    assert len(plots) == len(found.readings)
    assert all(a["role"] == "img" and a["aria-label"] for a in plots)


def test_a_histogram_is_that_of_the_rows(found: Comparison) -> None:
    index = found.standard.layout.index["x", "feature"]
    drawn = bars(found.standard.layout, index, found.standard.counts, found.counts)
    assert drawn.ordered
    assert len(drawn.names) <= BARS + 4
    assert sum(drawn.reference) == pytest.approx(1.0)
    assert sum(drawn.current) == pytest.approx(1.0)
    x = np.asarray(mixed(1, shift=1.0)["x"].to_pylist(), dtype=float)
    ends = [name.split(" – ") for name in drawn.names if " – " in name]
    for i in (8, 15, 22):
        place = drawn.names.index(" – ".join(ends[i]))
        low, high = map(float, ends[i])
        assert drawn.current[place] == pytest.approx(((x >= low) & (x < high)).mean(), abs=0.006)


def test_names_are_bars_of_their_own(found: Comparison) -> None:
    index = found.standard.layout.index["carrier", "feature"]
    drawn = bars(found.standard.layout, index, found.standard.counts, found.counts)
    assert not drawn.ordered
    carriers = mixed(0)["carrier"].to_pylist()
    shares = dict(zip(drawn.names, drawn.reference, strict=True))
    assert shares["WN"] == pytest.approx(carriers.count("WN") / len(carriers))
    assert shares["missing"] == pytest.approx(carriers.count(None) / len(carriers))


def test_a_page_that_cannot_be_written_is_one_line(found: Comparison, tmp_path: Path) -> None:
    with pytest.raises(SidelightError, match="cannot be written"):
        write(found, tmp_path / "no" / "page.html")
    write(found, tmp_path / "page.html")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
