"""The rows that Sidelight and its peer both get: ten numeric features, seeded.

Stands alone: the peer's environment has none of our packages.
"""

from __future__ import annotations

import random

FEATURES = 10
SEED = 20131001
BATCH_ROWS = 100


def rows(count: int, features: int = FEATURES) -> list[dict[str, float]]:
    """`count` rows of normal and exponential columns, in turn.

    >>> rows(2) == rows(2), len(rows(1)[0])
    (True, 10)
    """
    source = random.Random(SEED)
    return [
        {
            f"column_{index}": round(
                source.gauss(5.0, 2.0) if index % 2 else source.expovariate(0.2), 6
            )
            for index in range(features)
        }
        for _ in range(count)
    ]
