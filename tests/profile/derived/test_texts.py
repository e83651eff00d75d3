"""Free text: what is counted of it, and that the next texts are as unfamiliar as these."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.profile.derived.derivation import INVALID, MISSING, PRESENT
from monitor.profile.derived.texts import TextParts, fit
from monitor.profile.values import Coded

PARTS = TextParts(frozenset("abc "))


def test_length_words_and_unfamiliar_characters_of_each_text() -> None:
    texts = ["a bc", "abx", None, "", 7, math.nan, ["a"]]
    found = PARTS.derive(texts, None)
    nothing = [math.nan] * 5
    assert found.states.tolist() == [
        PRESENT, PRESENT, MISSING, MISSING, INVALID, MISSING, INVALID
    ]  # fmt: skip
    for part, expected in (("length", [4, 3]), ("words", [2, 1]), ("unfamiliar", [0, 1 / 3])):
        np.testing.assert_array_equal(found.parts[part], [*expected, *nothing])


def test_repeated_texts_are_read_as_each_of_them() -> None:
    coded = PARTS.derive(Coded(np.array([1, 0, -1, 1]), ["a bc", "abx"]), None)
    plain = PARTS.derive(["abx", "a bc", None, "abx"], None)
    assert coded.states.tolist() == plain.states.tolist()
    for part, values in plain.parts.items():
        np.testing.assert_array_equal(coded.parts[part], values)


def test_rare_characters_are_unfamiliar_in_the_reference_as_in_what_follows() -> None:
    random = np.random.default_rng(0)

    def draw(rows: int) -> list[str]:
        rare = [chr(0x4E00 + int(i)) if i < 3000 else "" for i in random.integers(0, 300_000, rows)]
        return [f"plain {one}" for one in rare]

    reference = draw(10_000)
    parts = fit(reference)
    shares = [
        np.mean(np.asarray(parts.derive(texts, None).parts["unfamiliar"]) > 0)
        for texts in (reference, draw(10_000))
    ]
    assert shares[0] == pytest.approx(0.01, abs=0.003)
    assert shares[1] == pytest.approx(shares[0], abs=0.005)


def test_a_lone_surrogate_does_not_get_into_the_file() -> None:
    parts = fit(["\ud800a"] * 10)
    assert parts.document() == {"alphabet": "a"}
