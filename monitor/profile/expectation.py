"""Chooses the frequent categories of a column, and says what the reference leads one to expect of
the next rows.

That is not quite what it counted. Where there are more categories than cells, those that came most
often were lucky too: the next rows have fewer of them, and a column of many categories would drift
from itself (the winner's curse). So one half of the rows chooses, the other half counts. And
categories will come that never came before: as often, by Good and Turing, as there are rows whose
category came once. Pure; knows only counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import CategoryGrid

Codes = NDArray[np.int64]

KNOWN_CATEGORIES = 10_000
HALF = 0.5


def choose(seen: Counter[str], chosen_by: Counter[str], categories: int) -> CategoryGrid:
    """The grid of a column that held `seen`: all categories, or the most frequent ones in
    `chosen_by`.

    `chosen_by` counts a random half of the same rows. Equal counts are told apart by name.

    >>> grid = choose(Counter(a=5, b=4, c=1), Counter(a=2, b=3), categories=1)
    >>> grid.categories, grid.known
    (('b',), ('a', 'c'))
    """

    def ranked(counts: Mapping[str, int]) -> list[str]:
        return [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]

    if len(seen) <= categories:
        return CategoryGrid(tuple(ranked(seen)))
    frequent = tuple(ranked(chosen_by)[:categories])
    taken = set(frequent)
    rest = [name for name in ranked(seen) if name not in taken]
    return CategoryGrid(frequent, tuple(rest[:KNOWN_CATEGORIES]))


def expected_cells(
    grid: CategoryGrid, seen: Counter[str], chosen_by: Counter[str], cells: Codes
) -> tuple[Codes, float]:
    """The counts `cells` as the half that did not choose has them, and the share of rows that they
    rest on.

    Their sum stays. Nothing changes, and they rest on all rows, where no category had to be chosen.

    Source: Good (1953) for `unseen`.

    >>> grid = CategoryGrid(("a",), ("b", "c"))
    >>> seen, chosen_by = Counter(a=8, b=1, c=1), Counter(a=5)
    >>> cells, share = expected_cells(grid, seen, chosen_by, np.array([8, 2, 0, 0, 0]))
    >>> cells.tolist(), share  # of the five rows that did not choose, three were a's
    ([6, 2, 2, 0, 0], 0.5)
    """
    if not grid.known:
        return cells, 1.0
    size = len(grid.categories)
    valid = int(cells[: size + 2].sum())
    counted = Counter(seen)
    counted.subtract(chosen_by)
    rows = max(counted.total(), 1)
    expected = cells.copy()
    expected[:size] = [round(valid * counted[name] / rows) for name in grid.categories]
    left = max(valid - int(expected[:size].sum()), 0)
    once = sum(1 for name in (*grid.categories, *grid.known) if seen[name] == 1)
    # Beyond the known ones all is unseen, in the reference as in the next rows.
    unseen = min(int(cells[size + 1]) + once, left)
    expected[size : size + 2] = left - unseen, unseen
    expected[0] += valid - int(expected[: size + 2].sum())  # what rounding made too many
    return expected, HALF
