"""Spectrogram thumbnails: a tone lies in its band, and every length has a picture."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.pages.shared.thumbnail import BANDS, FRAMES, thumbnail

RATE = 22050


def test_a_tone_is_bright_in_its_band() -> None:
    for hertz in (100.0, 1000.0, 8000.0):
        tone = np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)
        picture = np.frombuffer(thumbnail(tone, RATE), dtype=np.uint8).reshape(BANDS, FRAMES)
        band = int(np.argmax(picture[:, FRAMES // 2]))
        edges = np.geomspace(40, RATE / 2, BANDS + 1)
        assert edges[max(0, band - 1)] <= hertz <= edges[min(BANDS, band + 2)]
        assert picture[:, FRAMES // 2].max() > 250


@pytest.mark.parametrize("samples", [1, 50, 3 * RATE])
def test_every_length_has_a_picture(samples: int) -> None:
    assert len(thumbnail(np.zeros(samples), RATE)) == BANDS * FRAMES
