"""Pairs of raw samples, made by seed, on which the conventions of the peers are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Case:
    """Two samples; numbers are whole or not as the lists hold them."""

    name: str
    kind: str  # numeric | categorical
    reference: list[Any]
    current: list[Any]
    infinite: bool = False  # which NannyML refuses

    def document(self) -> dict[str, Any]:
        return asdict(self)


def cases() -> list[Case]:
    return [*_numeric(), *_integers(), *_categorical()]


def _numeric() -> Iterator[Case]:
    random = np.random.default_rng(20)
    shapes = {
        "small": (300, 200, 0.3, 1.0),
        "at home": (800, 800, 0.0, 1.0),
        "middling": (6_000, 900, 0.1, 1.3),
        "many rows": (12_000, 700, 0.2, 1.5),
        "far": (10_000, 400, 9.0, 1.0),
        "far below": (10_000, 400, -9.0, 1.0),
    }
    for name, (rows, others, mean, deviation) in shapes.items():
        reference = random.normal(size=rows)
        yield Case(
            name, "numeric", _listed(reference), _listed(random.normal(mean, deviation, others))
        )
    skewed = random.lognormal(size=4_000), random.lognormal(0.1, 1.1, 1_000)
    yield Case("skewed", "numeric", _listed(skewed[0]), _listed(skewed[1]))
    hit = [*_listed(random.normal(1.0, 1.0, 500)), 1e6]
    yield Case("one outlier", "numeric", _listed(random.normal(size=2_000)), hit)
    holes = [None if x < -1 else x for x in _listed(random.normal(size=900))]
    yield Case("holes", "numeric", _listed(random.normal(size=1_500)), holes)
    endless = [*_listed(random.normal(size=500)), float("inf"), float("-inf"), None]
    yield Case("endless", "numeric", endless, _listed(random.normal(0.2, 1.0, 300)), infinite=True)
    flat = [0.0] * 700 + _listed(random.exponential(size=300))
    yield Case("mostly nought", "numeric", flat, [0.0] * 250 + _listed(random.exponential(size=50)))
    tiny = _listed(1e-6 * random.normal(size=1_200))
    yield Case("little spread", "numeric", tiny, _listed(1e-6 * random.normal(0.5, 1.0, 300)))


def _integers() -> Iterator[Case]:
    random = np.random.default_rng(21)
    for name, means, rows in (("few", (3.0, 4.0), 2_000), ("many", (90.0, 95.0), 3_000)):
        sides = random.poisson(means[0], rows), random.poisson(means[1], rows // 4)
        yield Case(f"{name} whole numbers", "numeric", *(side.tolist() for side in sides))
    three = random.integers(0, 3, 800), random.integers(0, 4, 400)
    yield Case("three whole numbers", "numeric", *(side.tolist() for side in three))
    two = random.random(900) < 0.3, random.random(300) < 0.4
    yield Case("two whole numbers", "numeric", *(side.astype(int).tolist() for side in two))


def _categorical() -> Iterator[Case]:
    random = np.random.default_rng(22)
    letters = np.array(list("abcdefghij"))
    chances = 1.0 / np.arange(1, 11)
    before, after = chances[:9] / chances[:9].sum(), chances[::-1] / chances.sum()
    small = random.choice(letters[:9], 700, p=before), random.choice(letters, 400, p=after)
    yield Case("letters", "categorical", *(side.tolist() for side in small))
    large = random.choice(letters[:9], 7_000, p=before), random.choice(letters[:9], 500, p=before)
    yield Case("letters at home", "categorical", *(side.tolist() for side in large))
    rare = ["a"] * 29_998 + ["b", "c"]
    yield Case("rare letters", "categorical", rare, ["a"] * 990 + ["b"] * 10)
    yield Case("two letters", "categorical", list("aaabb" * 60), list("aabbb" * 25))
    yield Case("one letter", "categorical", ["a"] * 50, ["a"] * 40)
    yield Case("holes in letters", "categorical", ["a", "b", None, "c"] * 90, ["a", None, "c"] * 50)
    for name, current in TABLE.items():
        for rows, side in (("", TABLE_REFERENCE), (" ×10", 10 * TABLE_REFERENCE)):
            yield Case(f"table {name}{rows}", "categorical", side, current)


def _listed(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]


TABLE_REFERENCE = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
TABLE = {
    "a10 b5 c5": ["a"] * 10 + ["b"] * 5 + ["c"] * 5,
    "a50 b30 c10 d10": ["a"] * 50 + ["b"] * 30 + ["c"] * 10 + ["d"] * 10,
    "a60 b40": ["a"] * 60 + ["b"] * 40,
    "x100": ["x"] * 100,
}
