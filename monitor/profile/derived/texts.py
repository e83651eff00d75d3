"""Free text: how long, how many words, and how much of it in characters that the reference hardly
knows.

What a text means is not looked at. Another language, an encoding gone wrong, a template or an
empty shell instead of a review: each moves one of the three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Final

import numpy as np

from monitor.profile.derived.derivation import (
    INVALID,
    MISSING,
    PRESENT,
    Derived,
    Floats,
    each,
    is_missing,
)
from monitor.profile.values import Values
from monitor.schema import Kind

PARTS: Final = ("length", "words", "unfamiliar")
MAX_CHARACTERS = 20_000  # of one text that are looked at; its length is its own
MAX_ALPHABET = 8192
# A character is familiar from this share of texts on. A rarer one is unfamiliar in the reference
# too, so that the next rows, which bring rare ones of their own, are as unfamiliar as these.
FAMILIAR_SHARE = 0.001
LEAST_TEXTS = 2


@dataclass(frozen=True, slots=True)
class TextParts:
    """Free text, by the characters that the reference knows."""

    alphabet: frozenset[str]

    kind = Kind.TEXT
    parts = PARTS

    def derive(self, values: Values, at: Floats | None) -> Derived:  # noqa: ARG002 - the protocol's
        """Length, words and unfamiliar characters of each text."""
        table = each(values, self._read, 4)
        return Derived(table[0].astype(np.int64), dict(zip(PARTS, table[1:], strict=True)))

    def document(self) -> Mapping[str, Any]:
        """The alphabet, as one text."""
        return {"alphabet": "".join(sorted(self.alphabet))}

    def _read(self, value: object) -> tuple[float, ...]:
        if not isinstance(value, str):
            return (MISSING if is_missing(value) else INVALID), nan, nan, nan
        if not value:
            return MISSING, nan, nan, nan
        text = value[:MAX_CHARACTERS]
        strange = 0
        if not self.alphabet.issuperset(text):
            alphabet = self.alphabet
            strange = sum(character not in alphabet for character in text)
        return PRESENT, len(value), len(text.split()), strange / len(text)


def fit(texts: Sequence[object]) -> TextParts:
    """What the reference's texts are made of.

    >>> sorted(fit(["ab", "ba", "bc"]).alphabet)
    ['a', 'b']
    """
    found: Counter[str] = Counter()
    rows = 0
    for text in texts:
        if isinstance(text, str) and text:
            rows += 1
            found.update(set(text[:MAX_CHARACTERS]))
    least = max(LEAST_TEXTS, FAMILIAR_SHARE * rows)
    familiar = (one for one, count in found.most_common(MAX_ALPHABET) if count >= least)
    # A lone surrogate cannot be written to a file.
    return TextParts(frozenset(one for one in familiar if not "\ud800" <= one <= "\udfff"))
