"""The details of a window as values that JSON can hold, so that a restart goes on with them."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.profile.details import Details
from monitor.profile.distinct import REGISTERS, Distinct
from monitor.profile.projection import Products

_FASTEST = 1


def render_details(details: Details) -> dict[str, Any]:
    """As a document."""
    return {
        "unseen": [[*key, list(names)] for key, names in details.unseen.items()],
        "unexpected": [[*key, rows] for key, rows in details.unexpected.items()],
        "infrequent": [
            [*key, packed(sketch.registers)] for key, sketch in details.infrequent.items()
        ],
        "products": packed(details.products.sums) if details.products else None,
    }


def read_details(document: Mapping[str, Any]) -> Details:
    """Of a document; KeyError, TypeError, ValueError or zlib.error on what is none."""
    products = document.get("products")
    return Details(
        {(name, role): tuple(told) for name, role, told in document["unseen"]},
        {(name, role): int(rows) for name, role, rows in document.get("unexpected", ())},
        {
            (name, role): Distinct(unpacked(text, np.uint8).reshape(REGISTERS))
            for name, role, text in document.get("infrequent", ())
        },
        None if products is None else Products(_square(unpacked(products, np.float64))),
    )


def packed(array: NDArray[Any]) -> str:
    """An array as text: most counts are 0 or small, so the fastest level leaves a tenth."""
    return base64.b64encode(zlib.compress(array.tobytes(), _FASTEST)).decode()


def unpacked(text: str, kind: type[np.generic] | np.dtype[Any]) -> NDArray[Any]:
    """The array, flat."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).copy()


def _square(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    side = math.isqrt(len(flat))
    return flat.reshape(side, side)
