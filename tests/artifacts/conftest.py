"""Signals for the tests of artifacts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import audio
from contrastive_artifacts.artifacts.dsp import responses

RATE = 44100


@pytest.fixture(scope="session")
def clip() -> np.ndarray:
    """``[1, 3 s]``: coloured noise in bursts with pauses of digital silence, at -20 dBFS."""
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


@pytest.fixture(scope="session")
def wide() -> np.ndarray:
    """``[5, 1 s]`` of noise, independent between channels; the fourth is silent."""
    wave = 0.1 * np.random.default_rng(8).standard_normal((5, RATE))
    wave[3] = 0.0
    return wave.astype(np.float32)


@pytest.fixture(scope="session")
def burst() -> np.ndarray:
    """``[1, 8 s]``: a quarter of a second of noise in the middle of digital silence."""
    wave = np.zeros((1, 8 * RATE), dtype=np.float32)
    wave[0, 4 * RATE : 4 * RATE + RATE // 4] = 0.1 * np.random.default_rng(8).standard_normal(RATE // 4)
    return wave


@pytest.fixture(scope="session", autouse=True)
def recorded_responses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, float]]:
    """A folder of two responses, set as that of the user: file name -> T60 in s."""
    folder, decays = tmp_path_factory.mktemp("responses"), {"near.wav": 0.4, "far.flac": 0.9}
    for index, (name, t60) in enumerate(decays.items()):
        time = np.arange(round(1.2 * t60 * RATE)) / RATE
        tail = 0.05 * np.random.default_rng(index).standard_normal(len(time)) * 10 ** (-3 * time / t60)
        tail[:300] = 0.0
        tail[0] = 0.9
        audio.write(folder / name, np.concatenate([np.zeros(700), tail])[None], RATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(responses.VARIABLE, str(folder))
        yield decays
