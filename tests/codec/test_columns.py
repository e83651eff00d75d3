"""Columns of scalars stay as they are, whatever scalars they hold; anything else is laid out."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.codec.columns import from_rows, settle
from monitor.codec.settings import DecoderSettings

SETTINGS = DecoderSettings()


@pytest.mark.parametrize(
    "values",
    [
        [1.5, 2.5],
        [1, 2**60 + 1],
        [True, False],
        [10**400, 1.0],  # more than a float holds
        [1.5, None],
        ["a", "b"],
        [1.5, "a", True, None],
        [float("nan"), float("inf"), float("-inf")],
    ],
)
def test_scalars_are_kept_as_they_are(values: list[Any]) -> None:
    rows = [[value, 0.5] for value in values]
    found = from_rows(rows, ("a", "b"), SETTINGS)
    assert [repr(value) for value in found["a"]] == [repr(value) for value in values]
    assert [type(value) for value in found["a"]] == [type(value) for value in values]


@pytest.mark.parametrize("last", [[1.0, 2.0], {"x": 1.0}])
def test_one_nested_value_at_the_end_is_seen(last: object) -> None:
    found = settle({"a": [0.5, 1, True, last]}, 4, SETTINGS)
    assert "a" not in found or last not in found["a"]
    assert len(found) in (1, 2)
    assert all(len(column) == 4 for column in found.values())
