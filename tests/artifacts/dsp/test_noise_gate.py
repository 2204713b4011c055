"""The gains of a noise gate."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.artifacts.dsp.noise_gate import gate


@pytest.mark.parametrize("samples", [440, 44_000, 70_024])
def test_the_gain_is_linear_between_the_centres_of_blocks(samples: int) -> None:
    """Blocks of 1 ms at 44 kHz have 44 samples; sample 22 is where the gain is that of the block."""
    rate, index = 44_000, np.arange(samples)
    wave = np.where(index % 9000 < 5000, 0.5, 0.01) * np.sign(np.sin(index + 0.5))
    out, touched = gate(wave.astype(np.float32)[None], rate, 0.1, 0.02, 0.01, 0.02, 0.001)
    gains = out[0] / wave.astype(np.float32)
    centres = index[22::44]
    np.testing.assert_allclose(gains, np.interp(index, centres, gains[centres]), atol=2e-7)
    outside = np.ones(samples, bool)
    for start, stop in touched:
        outside[start:stop] = False
    assert (gains[outside] == 1).all()
    assert gains.min() < 0.6
