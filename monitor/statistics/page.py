"""docs/statistics-reference.md: every public statistic by its own docstring, and when to use it.

Pure but for `main`, which writes the page: `python -m monitor.statistics.page FILE`. A test holds
the page to it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monitor.statistics import (
    correction,
    cramer_von_mises,
    dependence,
    divergence,
    ordered,
    significance,
)
from monitor.statistics.conventions import score
from monitor.statistics.sequential import adwin, hddm_a, hddm_w, kswin, page_hinkley

Entry = tuple[Callable[..., Any], str]  # the statistic, and when to use it

DISTANCES: Sequence[Entry] = (
    (divergence.psi, "Where others expect it. Read it with the numbers of rows, never alone."),
    (divergence.js_distance, "Categories: the default effect. Finite, symmetric, a metric."),
    (divergence.hellinger, "As Jensen–Shannon; heavier on cells that appear or vanish."),
    (divergence.kullback_leibler, "Where the direction matters: what coding the reference costs."),
    (divergence.total_variation, "To say it in rows: the share that would have to move."),
    (divergence.l_infinity, "To see one category move among many."),
    (divergence.share_effect, "One share, small or large alike: the effect of a fault."),
    (divergence.ks_distance, "Numbers, in shares: the largest gap, whatever the units."),
    (divergence.wasserstein, "Numbers, in units: the default effect. How far rows have moved."),
    (divergence.energy, "Numbers, in units: a few rows that moved far weigh more."),
)
TESTS: Sequence[Entry] = (
    (ordered.anderson_darling, "Numbers: the default test. Hears the middle and the tails."),
    (ordered.without_outliers, "Before the test above, so that no single row decides."),
    (ordered.ad_tail, "Once a reference, for the p-values of the statistic above."),
    (ordered.ad_p_value, "The p-values themselves, of all columns at once."),
    (cramer_von_mises.cramer_von_mises, "Numbers, where the middle matters more than the tails."),
    (cramer_von_mises.cvm_p_value, "Its p-value."),
    (significance.ks_p_value, "With `ks_distance`; needs no table, and is sure with ties."),
    (significance.chi_square, "Categories with enough rows in each."),
    (significance.g_test, "Categories, far out in the tail."),
    (significance.homogeneity, "Categories: the default test. Sound with rare ones too."),
    (significance.share_rise, "One share that may only rise: the test of a fault."),
    (dependence.correlation_spread, "Once a reference, for the p-values of changed correlations."),
    (dependence.unevenness, "Before the test below: which pairs of rare values it can judge."),
    (dependence.correlation_change, "Pairs of columns, of scores by cells."),
)
CORRECTIONS: Sequence[Entry] = (
    (correction.benjamini_hochberg, "One look at many columns: `warning`."),
    (correction.strongest_of, "A family of tests that asks one question: one p-value for it."),
    (correction.holm, "Where not even one false call is wanted, whatever the dependence."),
    (correction.clusters_per_window, "How often a sliding window cries by chance."),
    (correction.per_look_level, "A budget of false alerts over time: `drift`."),
)
DETECTORS: Sequence[Entry] = (
    (adwin.Adwin, "The one to start with: any bounded stream, few settings."),
    (page_hinkley.PageHinkley, "A change of the mean by a size that is known to matter."),
    (hddm_a.HddmA, "An error rate that changes at once."),
    (hddm_w.HddmW, "An error rate that changes slowly; wrong more often at high rates."),
    (kswin.Kswin, "A change of spread or shape of a number; hardly for errors of 0 and 1."),
)
CONVENTIONS: Sequence[Entry] = (
    (score.score, "To compare figures, or move thresholds, from Evidently or NannyML."),
)

SECTIONS: Sequence[tuple[str, Sequence[Entry]]] = (
    ("Distances: how far", DISTANCES),
    ("Tests: how surprising", TESTS),
    ("Corrections: how often, over columns and time", CORRECTIONS),
    ("Sequential detectors: when", DETECTORS),
    ("Conventions of other tools", CONVENTIONS),
)

HEAD = """# Every statistic: formula, use, source

Written by `python -m monitor.statistics.page docs/statistics-reference.md` from the docstrings; the
examples run as tests. What is decided by them stands in [statistics.md](statistics.md).

Functions take counts over the same cells, `[..., B]`, and work on any number of columns at once. An
empty side gives NaN: not enough data is an answer. Cells that do not match raise `StatisticsError`.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, entries in SECTIONS:
        parts.append(f"## {title}\n")
        parts += [_section(*entry) for entry in entries]
    return "\n".join(parts)


def _section(statistic: Callable[..., Any], when: str) -> str:
    module = statistic.__module__.removeprefix("monitor.")
    words, example = _split(inspect.getdoc(statistic) or "")
    call = f"{statistic.__name__}{_parameters(statistic)}"
    lines = [f"### {statistic.__name__}", "", f"`{module}.{call}`", "", f"*Use:* {when}", "", words]
    return "\n".join([*lines, *(["", "```python", example, "```"] if example else []), ""])


def _parameters(statistic: Callable[..., Any]) -> str:
    return f"({', '.join(inspect.signature(statistic).parameters)})"


def _split(text: str) -> tuple[str, str]:
    """A docstring as its words and its example."""
    words, arrow, example = text.partition(">>>")
    escaped = re.sub(r"([*|<])", r"\\\1", words.strip())
    return escaped, (arrow + example).strip()


def main() -> int:
    """Writes the page where the first argument says."""
    Path(sys.argv[1]).write_text(render(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
