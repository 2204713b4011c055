"""Positions of events: in sound, apart from each other, extended by a larger count."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from contrastive_artifacts.artifacts.dsp.places import draw_places, event_count, sounding
from contrastive_artifacts.core import seeding

RATE = 8000


def burst(begin: int, stop: int, samples: int = 10 * RATE) -> np.ndarray:
    wave = np.zeros((1, samples), dtype=np.float32)
    wave[0, begin:stop] = 0.1
    return wave


def test_sounding_blocks_last_10_ms() -> None:
    active, block = sounding(burst(8000, 16000), RATE)
    assert block == 80
    assert_array_equal(np.flatnonzero(active), np.arange(100, 200))
    assert sounding(burst(0, 0), RATE)[0].all()
    assert len(sounding(burst(0, 1, 1), RATE)[0]) == 1


def test_places_are_in_sound_sorted_and_apart() -> None:
    for seed in range(20):
        places = draw_places(burst(8000, 24000), RATE, 12, 400.0, seeding.generator(seed))
        assert places.dtype == np.int64
        assert 5 < len(places) <= 12
        assert (np.diff(places) >= 400).all()
        assert 8000 <= places.min() <= places.max() < 24000


def test_places_are_spread_evenly_over_the_sound() -> None:
    drawn = [draw_places(burst(8000, 24000), RATE, 1, 0.0, seeding.generator(seed))[0] for seed in range(800)]
    assert np.histogram(drawn, bins=4, range=(8000, 24000))[0].min() > 150


def test_a_larger_count_adds_places() -> None:
    wave = burst(0, 80000)
    few, many = (draw_places(wave, RATE, count, 400.0, seeding.generator(7)) for count in (4, 40))
    assert set(few.tolist()) < set(many.tolist())


def test_there_is_at_least_one() -> None:
    for samples in (1, 2, 79, 81):
        assert 0 <= draw_places(burst(0, 0, samples), RATE, 5, 1e9, seeding.generator(samples))[0] < samples
    assert event_count(100, RATE, 0.1, 1e6, 0.5) == 1
    assert event_count(10 * RATE, RATE, 2.0, 100.0, 0.5) == 20
    assert event_count(10 * RATE, RATE, 2.0, 8000.0, 0.5) == 5
