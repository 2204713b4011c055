from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.vectors import unit_rows


@pytest.mark.parametrize("shape", [(5,), (7, 5), (2, 3, 5)])
def test_vectors_get_length_one_and_keep_their_direction(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    unit = unit_rows(x, np.float64)
    length = np.sqrt((x**2).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(unit * length, x, rtol=1e-12)
    assert unit_rows(x).dtype == np.float32
    np.testing.assert_allclose(unit_rows(x), unit, rtol=1e-6)


def test_zeros_stay_and_the_input_is_not_changed() -> None:
    x = np.asfortranarray([[0.0, 0.0], [3.0, 4.0]])
    unit = unit_rows(x)
    assert unit.flags.c_contiguous
    np.testing.assert_array_equal(unit, np.array([[0.0, 0.0], [0.6, 0.8]], np.float32))
    assert x.tolist() == [[0.0, 0.0], [3.0, 4.0]]
