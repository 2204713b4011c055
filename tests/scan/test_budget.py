"""Sharing out false segments among faults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.scan import budget
from contrastive_artifacts.scan.budget import STEPS


def recalls(offsets) -> np.ndarray:
    """Recalls that rise with the rate of false segments, later for a lower offset."""
    return 1 / (1 + np.exp(-(np.log(STEPS)[None] + np.array(offsets)[:, None])))


def shared_out(rate: float, table: np.ndarray) -> np.ndarray:
    """Where each false segment costs itself."""
    return budget.shared_out(rate, table, np.tile(STEPS, (len(table), 1)))


def test_a_fault_that_costs_more_gets_less():
    costs = np.stack([STEPS, 4 * STEPS])
    cheap, dear = budget.shared_out(6.0, recalls([0.0, 0.0]), costs)
    assert dear < cheap
    assert costs[[0, 1], [cheap, dear]].sum() <= 6.0


def test_faults_that_are_alike_get_alike():
    chosen = shared_out(6.0, recalls([0.0] * 4))
    assert chosen.max() - chosen.min() <= 1


def test_a_fault_that_is_heard_at_once_gets_next_to_nothing():
    flat = np.concatenate([np.ones((1, len(STEPS))), recalls([0.0])])
    assert shared_out(6.0, flat)[0] == 0


def test_a_fault_that_is_heard_little_is_not_given_up_for_one_that_is_heard_often():
    rise = 0.1 * np.linspace(0, 1, len(STEPS))
    often, little = shared_out(6.0, np.stack([0.5 + 1.2 * rise, rise]))
    assert little > often


def test_a_step_that_raises_recall_late_is_seen_behind_those_that_do_not():
    late = (STEPS > 2.0).astype(float)[None]
    chosen = shared_out(6.0, late)
    assert 2.0 < STEPS[chosen[0]] < 3.0


@settings(deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=1, max_size=6), st.floats(0.5, 60), st.floats(1.1, 4))
def test_the_rate_is_not_exceeded_and_more_of_it_helps(offsets, rate, factor):
    table = recalls(offsets)
    each = np.arange(len(table))
    few, many = shared_out(rate, table), shared_out(rate * factor, table)
    assert STEPS[few].sum() <= max(rate, len(table) * STEPS[0]) + 1e-9
    assert np.sqrt(table[each, many]).mean() >= np.sqrt(table[each, few]).mean() - 1e-3


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 60))
def test_no_other_steps_are_worth_more(seed, rate):
    random = np.random.default_rng(seed)
    table = np.sort(random.random((2, len(STEPS))) ** 4)
    costs = np.sort(np.exp(random.normal(0, 3, (2, len(STEPS)))))
    chosen = budget.shared_out(rate, table, costs)
    worth = np.sqrt(table[0])[:, None] + np.sqrt(table[1])
    affordable = costs[0][:, None] + costs[1] <= max(rate, costs[:, 0].sum())
    assert affordable[tuple(chosen)]
    assert worth[tuple(chosen)] == pytest.approx(worth[affordable].max(), rel=2e-4)


def test_what_is_never_heard_costs_least():
    never, heard = np.zeros(len(STEPS)), np.linspace(0, 1, len(STEPS))
    assert shared_out(6.0, np.stack([never, heard]))[0] == 0
