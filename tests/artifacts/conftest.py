"""Small signals that the artifact tests share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

RATE = 44100


@pytest.fixture(scope="session")
def clip() -> np.ndarray:
    """``[1, 3 s]``: coloured noise in syllables with real pauses of digital silence between them, -20 dBFS."""
    rng = np.random.default_rng(5)
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(3 * RATE))
    time = np.arange(3 * RATE) / RATE
    envelope = np.clip(np.sin(2 * np.pi * 1.5 * time) + 0.3, 0, None)
    wave = noise * envelope
    return (0.1 * wave / np.sqrt(np.mean(wave[wave != 0] ** 2))).astype(np.float32)[None]


@pytest.fixture(scope="session")
def steady() -> np.ndarray:
    """``[1, 4 s]`` of white noise at -20 dBFS."""
    return (0.1 * np.random.default_rng(6).standard_normal((1, 4 * RATE))).astype(np.float32)
