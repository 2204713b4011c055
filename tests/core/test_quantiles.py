"""Medians and percentiles: those of NumPy except for rounding, and exact where a value is hit."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.quantiles import median, percentiles


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 100, 241, 1000])
def test_values_are_those_of_numpy(dtype, count):
    values = np.random.default_rng(count).standard_normal((count, 7)).astype(dtype)
    np.testing.assert_array_equal(median(values.T), np.median(values, axis=0))
    assert median(values.T).dtype == dtype
    for shares in (30, 99, (5, 50, 95), (0, 1, 3, 10, 50), (100, 0)):
        np.testing.assert_allclose(percentiles(values, shares), np.percentile(values, shares, axis=0), 1e-6, 1e-6)
        np.testing.assert_allclose(percentiles(values[:, 0], shares), np.percentile(values[:, 0], shares), 1e-6, 1e-6)
        assert percentiles(values, shares).dtype == dtype


def test_ties_and_equal_values_are_exact():
    """Thresholds of the figures are compared with the values that they are taken from."""
    values = np.repeat(np.float32([0.1, 0.2, 0.7]), [3, 4, 4])
    np.testing.assert_array_equal(percentiles(values, (0, 30, 50, 100)), np.percentile(values, (0, 30, 50, 100)))
    np.testing.assert_array_equal(median(np.full((2, 6), 0.1, np.float32)), np.full(2, 0.1, np.float32))
