"""Chances in cells: that of the window where the artifact is, less beside it, and none of a neighbouring window."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.scan.cells import cell_chances
from contrastive_artifacts.scan.lanes import Lane, Run

WINDOW, CELL = 100, 10


def run(chances: list[float], places: list[int], stop: int | None = None) -> Run:
    """Windows every 50 samples with one likely cell each, of one fault."""
    cells = np.full((len(chances), WINDOW // CELL, 1), 25, np.uint8)
    cells[np.arange(len(chances)), places] = 250
    probabilities = np.array([[1 - chance, chance] for chance in chances], np.float32)
    starts = [50 * n for n in range(len(chances))]
    lane = Lane(None, [probabilities], [np.zeros_like(probabilities)], [cells])
    return Run([lane], starts, stop=stop or starts[-1] + WINDOW)


def test_the_most_likely_cell_has_the_chance_of_its_window() -> None:
    bounds, values = cell_chances(run([0.2, 0.8, 0.1], [9, 5, 0]), WINDOW, CELL)
    assert bounds.tolist() == list(range(0, 201, 10))
    assert values.shape == (20, 1)
    assert values[10, 0] == pytest.approx(0.8)  # sample 100: the second window, which counts from 75 to 125
    assert values[9, 0] == pytest.approx(0.08)
    assert values[0, 0] == pytest.approx(0.02)  # the likely cell of the first window lies where the second one counts
    assert values[-1, 0] == pytest.approx(0.01)


def test_cells_end_with_the_recording() -> None:
    bounds, values = cell_chances(run([0.5], [3], stop=95), WINDOW, CELL)
    assert bounds[-1] == 95
    assert len(values) == 10
    assert values.argmax() == 3


def test_a_window_without_a_likely_cell_has_its_chance_nowhere_more() -> None:
    empty = run([0.5], [0])
    empty.lanes[0].cells[0][:] = 0
    assert cell_chances(empty, WINDOW, CELL)[1].max() <= 0.5
