"""What the load sends and the origin answers: 200-byte JSON objects of ten named features.

Knows nothing of proxies. The rows are stationary and seeded, so that two runs send the same bytes.
"""

from __future__ import annotations

import random

BODY_BYTES = 200
FEATURES = 10
PATH = "/invocations"


def bodies(count: int, seed: int) -> list[bytes]:
    """`count` requests, each one JSON object of exactly BODY_BYTES bytes.

    >>> {len(body) for body in bodies(100, seed=7)}
    {200}
    """
    source = random.Random(seed)
    return [_body(source) for _ in range(count)]


def _body(source: random.Random) -> bytes:
    # The first column has one decimal less: it makes the object 200 bytes instead of 201.
    decimals = [5] + [6] * (FEATURES - 1)
    members = (
        f'"column_{index}":{source.uniform(0.0, 9.9):.{places}f}'
        for index, places in enumerate(decimals)
    )
    return ("{" + ",".join(members) + "}").encode()
