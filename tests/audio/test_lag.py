"""A copy is placed to a fraction of a sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.artifacts.dsp.resample_at import delayed
from contrastive_artifacts.audio.lag import place_of

NOISE = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 300), st.floats(0.01, 5), st.booleans())
def test_a_delayed_copy_is_found_at_its_delay(delay: float, gain: float, inverted: bool) -> None:
    gain = -gain if inverted else gain
    band_limited = delayed(NOISE[None], 0.5)[0]  # half a sample off the grid: nothing at the Nyquist frequency
    outer = gain * delayed(np.pad(band_limited, (0, 400))[None], delay)[0]
    place, height = place_of(band_limited[100:3900], outer)
    assert place == pytest.approx(100 + delay, abs=1 / 30)
    assert height == pytest.approx(-1 if inverted else 1, abs=0.06)


def test_another_sound_correlates_with_nothing_and_silence_is_nowhere() -> None:
    other = np.random.default_rng(1).normal(0, 0.1, 4400).astype(np.float32)
    assert abs(place_of(NOISE, other)[1]) < 0.1
    assert place_of(NOISE, np.zeros(4400, np.float32)) == (0.0, 0.0)
