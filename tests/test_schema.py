"""Columns that can be, and that cannot."""

from __future__ import annotations

import pytest

from monitor.schema import Column, Kind, Role, SchemaError


def test_a_feature_and_an_output_may_share_a_name() -> None:
    feature = Column("price", Role.FEATURE, Kind.NUMERIC)
    output = Column("price", Role.PREDICTION, Kind.NUMERIC)
    assert feature.key == ("price", "feature")
    assert output.key != feature.key


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("probability:cat", Role.PREDICTION, "cat"),
        ("probability:", Role.PREDICTION, ""),
        ("probability:cat", Role.FEATURE, None),
        ("prediction", Role.PREDICTION, None),
    ],
)
def test_the_class_of_a_probability(name: str, role: Role, expected: str | None) -> None:
    assert Column(name, role, Kind.NUMERIC).probability_class == expected


@pytest.mark.parametrize(
    "impossible",
    [
        {"name": ""},
        {"minimum": 1.0},
        {"minimum": 2.0, "maximum": 1.0},
        {"categories": ("a", "a")},
    ],
)
def test_columns_that_cannot_be(impossible: dict[str, object]) -> None:
    arguments: dict[str, object] = {"name": "a", "role": Role.FEATURE, "kind": Kind.NUMERIC}
    with pytest.raises(SchemaError):
        Column(**(arguments | impossible))  # type: ignore[arg-type]  # wrong on purpose
