"""What chaos saw, as the page shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import published
from benchmarks.faults.stage import Check

FOUND = {
    "soak": [
        Check("descriptors", "16", "<= 20", held=True),
        Check("leaks", "a | b", "none", held=False),
    ]
}


def test_every_check_is_a_line_and_none_breaks_the_table() -> None:
    text = published.markdown(FOUND, "seed 7")
    assert "| soak | descriptors | 16 | <= 20 | holds |" in text
    assert "|  | leaks | a \\| b | none | does not hold |" in text
    assert "seed 7" in text


def test_only_what_is_between_the_markers_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(published, "PAGE", page)
    page.write_text(f"before\n{published.BEGIN}\nyesterday\n{published.END}\nafter\n")
    published.publish(FOUND, "seed 7")
    text = page.read_text()
    assert text.startswith(f"before\n{published.BEGIN}")
    assert text.endswith(f"{published.END}\nafter\n")
    assert "yesterday" not in text
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="markers"):
        published.publish(FOUND, "seed 7")
