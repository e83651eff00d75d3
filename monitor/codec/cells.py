"""Cells of text as values: integers, numbers, true and false, missing, else text.

Each is read by itself, so that a value means the same in every batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[+-]?inf(?:inity)?", re.IGNORECASE
)
_NUMERIC = frozenset("0123456789+-.")
_EXACT_DIGITS = 18
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(
        (
            "", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "None", "<NA>",
            "#N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#N/A N/A",
        )
    ),
}  # fmt: skip


def cell(text: str) -> object:
    """One cell's value.

    >>> [cell(text) for text in ("12", "1.5", "true", "", "NaN", "1_000", "Ünal")]
    [12, 1.5, True, None, None, '1_000', 'Ünal']
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def cells(column: Sequence[str]) -> list[object]:
    """Each cell's value, as `cell` gives it.

    >>> cells(["1", "-2.5", "NA"])
    [1, -2.5, None]
    """
    kinds = set("".join(column))
    if kinds <= _NUMERIC and max(map(len, column)) <= _EXACT_DIGITS:
        # Nothing but digits, signs and points: Python's own reading agrees with `cell`, or refuses.
        try:
            if kinds.isdisjoint("."):
                return list(map(int, column))
            return [float(text) if "." in text else int(text) for text in column]
        except ValueError:
            pass
    return list(map(cell, column))
