"""Intervals of a precision: they cover as often as they say, and shrink until a threshold is settled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes.precision import SETTLED, labels_needed, precisions, wilson


@given(total=st.integers(1, 500), data=st.data())
def test_the_interval_is_that_of_scipy(total, data):
    right = data.draw(st.integers(0, total))
    expected = binomtest(right, total).proportion_ci(method="wilson")
    assert wilson(right, total) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_nineteen_intervals_of_twenty_hold_the_truth():
    rights = np.random.default_rng(0).binomial(30, 0.8, 2000)
    covered = [low <= 0.8 <= high for low, high in (wilson(int(right), 30) for right in rights)]
    assert 0.92 < np.mean(covered) < 0.98


@given(total=st.integers(1, 300), data=st.data())
def test_the_labels_that_are_asked_for_settle_it_and_one_fewer_do_not(total, data):
    right = data.draw(st.integers(0, total))
    more = labels_needed(right, total)

    def reach(count: int) -> float:
        ends = binomtest(round(10_000 * right / total), 10_000)  # the share at any number of labels
        share, square = ends.statistic, 1.959964**2
        return 1.959964 / (1 + square / count) * np.sqrt(share * (1 - share) / count + square / (4 * count * count))

    assert reach(total + more) <= SETTLED + 1e-3
    assert more == 0 or reach(total + more - 1) > SETTLED - 1e-3


def test_rows_of_several_faults_count_for_each():
    rows = [("hum", "hum"), ("hiss, hum", "hum"), ("clean", "hum"), ("hiss", "clean")]
    counted = {p.name: (p.right, p.labelled) for p in precisions(rows)}
    assert counted == {"hum": (2, 2), "hiss": (0, 2)}
    assert all(p.low <= p.right / p.labelled <= p.high for p in precisions(rows))
    with pytest.raises(ParameterError, match="proportion"):
        wilson(3, 2)
