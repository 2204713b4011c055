"""Bounds of segments from the chances of cells."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.scan.lanes import Lane, Signals, bounds, classify, smoothed

RATE, CELL = 1000, 100.0  # Hz, samples
STARTS, EDGES = [0, 1000, 2000], np.array([0, 1500, 2500, 4000])  # windows of 2 s every second


def cells(*ranges: tuple[int, int, int]) -> list[np.ndarray]:
    """Chances of one artifact in three windows of 20 cells: 1 in cells ``[first, last)`` of a window, else 0."""
    chances = np.zeros((3, 20, 1), np.uint8)
    for window, first, last in ranges:
        chances[window, first:last] = 255
    return list(chances)


def test_a_segment_begins_and_ends_with_its_cells():
    heard = cells((1, 7, 13), (2, 0, 3))  # 1.7-2.3 s in the window from 1 s, 2-2.3 s in that from 2 s
    assert bounds(heard, STARTS, EDGES, slice(0, 3), 0, CELL) == (1700, 2300)


def test_only_the_cells_that_a_window_counts_for_are_used():
    assert bounds(cells((0, 17, 20), (1, 6, 7)), STARTS, EDGES, slice(0, 2), 0, CELL) == (1600, 1700)


def test_without_likely_cells_the_windows_are_the_bounds():
    assert bounds(cells(), STARTS, EDGES, slice(1, 3), 0, CELL) == (1500, 4000)


def test_cells_never_widen_a_segment():
    assert bounds(cells((1, 0, 20)), STARTS, EDGES, slice(1, 2), 0, CELL) == (1500, 2500)


def test_a_median_of_three_removes_single_windows():
    chances = np.array([0, 0, 1, 0, 0, 1, 1, 0], float)[:, None]
    assert smoothed(chances, 3)[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 0]


class Alarmist:
    """Hears the artifact in every window."""

    labels, window_s, hop_s = ("clean", "dropout"), 1.0, 0.5

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        return np.tile(np.float32([0.1, 0.9]), (len(waveforms), 1)), np.tile(np.float32([0, 0.5]), (len(waveforms), 1))


def test_a_window_that_is_mostly_silence_has_no_artifact():
    noise = (0.01 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    padded, full, quiet = noise.copy(), noise, noise * np.float32(0.01)  # -80 dBFS is no silence
    padded[RATE // 3 :] = 0
    half = noise.copy()
    half[RATE // 2 + 20 :] = 0  # some samples of noise are near 0, too
    windows = [full, padded, half, quiet, 0 * noise]
    lane = Lane(None)
    classify(lane, Signals(windows, windows), Alarmist(), RATE)
    assert lane.probabilities[0][:, 1].tolist() == pytest.approx([0.9, 0, 0.9, 0.9, 0])
    assert lane.probabilities[0][:, 0].tolist() == pytest.approx([0.1, 1, 0.1, 0.1, 1])
