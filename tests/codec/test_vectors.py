"""Features of many numbers: one vector a row, within the bounds."""

from __future__ import annotations

import pytest

from monitor.codec.columns import from_rows, settle
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError


def test_a_wide_vector_of_numbers_stays_one_feature() -> None:
    wide, narrow = [0.5] * 16, [1, 2]
    rows = [{"e": wide, "p": narrow, "x": 1}, {"e": None, "p": None, "x": 2}]
    found = from_rows(rows, (), DecoderSettings())
    assert found["e"] == (wide, None)
    assert sorted(found) == ["e", "p[0]", "p[1]", "x"]
    for other in (["a"] * 16, [[0.5] * 16], [0.5] * 15):
        columns = from_rows([{"e": other}], (), DecoderSettings())
        assert "e" not in columns
    assert "e" not in settle({"e": [wide]}, 1, DecoderSettings(), whole=False)


def test_vectors_count_against_the_bound_on_values() -> None:
    rows = [{"e": [0.5] * 100}] * 10
    with pytest.raises(CodecError) as caught:
        from_rows(rows, (), DecoderSettings(max_values=999))
    assert caught.value.reason == "too_many_values"
