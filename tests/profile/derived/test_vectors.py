"""Vectors: their norm and principal axes, and what is no vector of the right width."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.profile.derived.derivation import INVALID, MISSING, PRESENT
from monitor.profile.derived.vectors import MAX_AXES, fit, matrix


def _cloud(rows: int, width: int, seed: int = 0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    turned = np.linalg.qr(np.random.default_rng(9).normal(size=(width, width)))[0]
    cloud = random.normal(size=(rows, width)) * (0.6 ** np.arange(width))
    return np.asarray(cloud @ turned + 3.0)


def test_the_axes_are_those_of_the_covariance() -> None:
    cloud = _cloud(4000, 20)
    parts = fit(cloud.tolist(), 20)
    variances, axes = np.linalg.eigh(np.cov(cloud.T))
    for number, axis in enumerate(parts.axes, start=1):
        assert abs(axis @ axes[:, -number]) > 0.98
    held = variances[::-1].cumsum() / variances.sum()
    assert len(parts.axes) == int(np.searchsorted(held, 0.8)) + 1
    found = parts.derive(cloud.tolist(), None)
    np.testing.assert_allclose(
        np.asarray(found.parts["norm"]), np.linalg.norm(cloud, axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(
        np.asarray(found.parts["axis1"]),
        (cloud - parts.centre) @ parts.axes[0],
        rtol=1e-6,
        atol=1e-9,
    )


def test_a_flat_spectrum_has_eight_axes_and_a_constant_none() -> None:
    random = np.random.default_rng(0)
    assert len(fit(random.normal(size=(500, 300)).tolist(), 300).axes) == MAX_AXES
    assert len(fit([[1.0, 2.0]] * 50, 2).axes) == 0
    assert fit([[1.0, 2.0]], 2).parts == ("norm",)


def test_one_vector_of_any_size_does_not_turn_the_axes() -> None:
    rows = _cloud(4000, 20).tolist()
    turned = fit([*rows[:-1], [1e9] + [0.0] * 19], 20)
    assert abs(turned.axes[0] @ fit(rows, 20).axes[0]) > 0.999


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ([1, 2.5], PRESENT), ((1, 2), PRESENT), (np.array([1.0, 2.0], np.float32), PRESENT),
        (None, MISSING), (float("nan"), MISSING), ([1.0], INVALID), ([1, 2, 3], INVALID),
        ([1, None], INVALID), ([1, float("nan")], INVALID), (["1", "2"], INVALID), ("ab", INVALID),
        ([[1, 2], [3, 4]], INVALID), ([], INVALID), ({}, INVALID), (1.0, INVALID),
    ],
)  # fmt: skip
def test_a_vector_is_finite_numbers_of_one_width(value: object, state: int) -> None:
    table, states = matrix([[1.0, 2.0], value], 2)
    assert states.tolist() == [PRESENT, state]
    assert table.shape == (1 + (state == PRESENT), 2)


def test_huge_numbers_have_a_norm() -> None:
    parts = fit(_cloud(100, 3).tolist(), 3)
    assert np.isfinite(np.asarray(parts.derive([[1e308, 0, 0]], None).parts["norm"])).all()
