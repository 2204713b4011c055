"""Positions on the maps: few far rows squeeze nothing, order is kept, silence lies apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contrastive_artifacts.pages.shared.fitting import fitted

positions = st.floats(-100, 100, width=32)


@given(arrays(np.float32, st.tuples(st.integers(0, 300), st.just(2)), elements=positions), st.randoms())
def test_order_is_kept_and_all_lie_on_the_map(points, random):
    quiet = np.array([random.random() < 0.1 for _ in points], bool)
    shown = fitted(points, quiet)
    assert shown.shape == points.shape
    assert np.isfinite(shown).all()
    assert (np.abs(shown) <= 1.0001).all()
    for axis in (0, 1):
        order = np.argsort(points[~quiet, axis], kind="stable")
        assert (np.diff(shown[~quiet, axis][order]) >= -1e-5).all()
    if 0 < quiet.sum() < len(points):
        assert shown[quiet, 1].max() < shown[~quiet, 1].min()


def test_a_few_far_rows_leave_the_map_to_the_others():
    points = np.random.default_rng(0).uniform(-0.02, 0.02, (1000, 2)).astype(np.float32)
    points[:8] = [[1, 0], [0.9, 0], [0, 1], [0, -1], [0.5, 0.5], [0.7, 0], [1, 1], [-1, 0]]
    shown = fitted(points, np.zeros(1000, bool))
    assert np.ptp(shown[8:], axis=0).min() > 1.6, "the others had 4 % of the width"
    assert abs(shown).max() == pytest.approx(1.0)
    assert shown[5, 0] < shown[1, 0] < shown[0, 0], "beyond the edge their order is kept"
    assert shown[0, 0] - shown[8:, 0].max() < 0.1
    near = np.argsort(points[8:, 0])
    assert (np.diff(shown[8:, 0][near]) >= 0).all(), "and so it is within"


def test_all_silent_or_none_at_all():
    assert fitted(np.zeros((3, 2), np.float32), np.ones(3, bool)).tolist() == [[0, 0]] * 3
    assert fitted(np.zeros((0, 2), np.float32), np.zeros(0, bool)).shape == (0, 2)
