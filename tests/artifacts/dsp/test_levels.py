"""Levels of blocks, against loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from contrastive_artifacts import audio
from contrastive_artifacts.artifacts.dsp import levels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("samples", [1, 99, 100, 1000, 1042])
def test_block_power_is_the_mean_square_of_each_block(channels: int, samples: int) -> None:
    wave = np.random.default_rng(samples).standard_normal((channels, samples)).astype(np.float32)
    slow = [np.square(wave[:, i : i + 100].astype(np.float64)).mean() for i in range(0, samples, 100)]
    assert_allclose(levels.block_power(wave, 100), slow, rtol=1e-5)
    assert_allclose(levels.block_power(np.asfortranarray(wave), 100), slow, rtol=1e-5)


def test_active_blocks_are_those_near_the_loudest() -> None:
    wave = np.repeat(np.float32([0.5, 0.02, 0.01, 0.0]), 100)[None]
    assert_array_equal(levels.active_blocks(wave, 100, below_db=30.0), [True, True, False, False])
    assert levels.active_blocks(1e-12 * wave, 100, below_db=30.0).all()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 399, 400, 50_017])
def test_the_active_level_is_that_of_the_active_blocks(channels: int, samples: int) -> None:
    rng = np.random.default_rng(samples)
    wave = (
        rng.standard_normal((channels, samples)) * 10.0 ** rng.uniform(-3, 0, samples // 400 + 1).repeat(400)[:samples]
    )
    wave = wave.astype(np.float32)
    blocks = [wave[:, i : i + 400].astype(np.float64) for i in range(0, samples, 400)]
    loudest = max(np.square(block).mean() for block in blocks)
    active = np.concatenate([block for block in blocks if np.square(block).mean() >= 1e-4 * loudest], axis=1)
    assert audio.active_rms(wave, 8000) == pytest.approx(np.sqrt(np.square(active).mean()), rel=1e-12)


def test_silence_has_a_reference() -> None:
    assert levels.reference(np.zeros((1, 100), dtype=np.float32), 8000) == levels.SILENCE_LEVEL
