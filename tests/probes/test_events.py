"""Events are matched by their bounds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.probes.events import Counts, Event, f1, intervals, match, overlapped

TIMES = st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 5)), max_size=5)


def events(*bounds: tuple[float, float]) -> list[Event]:
    return [Event(start, stop, "hum") for start, stop in bounds]


def test_the_bounds_must_be_near() -> None:
    truth = events((1, 3))
    assert match(truth, events((1.2, 3.9)), 0.2) == Counts(1, 1, 1)
    assert match(truth, events((1.3, 3)), 0.2) == Counts(0, 1, 1)
    assert match(truth, events((1, 4.1)), 0.2) == Counts(0, 1, 1)
    assert match(truth, events((1, 4.1)), 0.2, offset=False) == Counts(1, 1, 1)
    assert match(truth, events((1, 3), (1.1, 3)), 0.2) == Counts(1, 1, 2)
    assert match([], events((1, 3)), 0.2) == Counts(0, 0, 1)


def test_the_largest_number_of_pairs_counts() -> None:
    """The first true event fits both detected ones, the second only the first of them."""
    assert match(events((1, 3), (0.9, 3)), events((1.05, 3), (1.18, 3)), 0.2).matched == 2


@given(TIMES, TIMES)
def test_no_other_assignment_has_more_pairs(true: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    truth, detected = (events(*((a, a + b) for a, b in times)) for times in (true, other))
    few, many = sorted((truth, detected), key=len)
    best = max(
        sum(match([t], [d], 1.0, offset=False).matched for t, d in zip(few, order, strict=False))
        for order in permutations(many)
    )
    assert match(truth, detected, 1.0, offset=False).matched == best


def test_overlaps_need_no_near_bounds() -> None:
    assert overlapped(events((1, 3), (8, 9)), events((2, 6), (6.5, 7))) == Counts(1, 2, 1)


def test_f1_and_its_interval() -> None:
    assert f1(np.array([1, 0]), np.array([2, 0]), np.array([2, 0])) == pytest.approx([0.5, np.nan], nan_ok=True)
    figure = intervals(np.array([[1, 1, 1], [0, 1, 1], [1, 2, 2]]))
    assert figure.value == pytest.approx(0.5)
    assert figure.low < 0.5 < figure.high
