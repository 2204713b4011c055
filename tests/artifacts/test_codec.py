"""Codecs: real, aligned, worse with fewer bits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import coding
from contrastive_artifacts.errors import ParameterError

CODEC = artifacts.artifact("codec")
CODECS = tuple(coding.CODERS)


def sound(rate: int, seconds: float = 1.5) -> np.ndarray:
    """Noise with a voice-like spectrum and syllables."""
    rng = np.random.default_rng(4)
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(int(seconds * rate)))
    noise *= 0.2 + np.abs(np.sin(2 * np.pi * 2 * np.arange(len(noise)) / rate))
    return (0.05 * noise).astype(np.float32)[None]


def lag(clean: np.ndarray, coded: np.ndarray) -> int:
    return int(np.argmax(signal.correlate(coded[0], clean[0], method="fft"))) - (clean.shape[1] - 1)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_pairs_stay_aligned(codec: str, rate: int) -> None:
    clean = sound(rate)
    for kbps in (64.0, 32.0, 16.0, 8.0):
        for generations in (1, 3):
            out = CODEC.apply(clean, rate, {"codec": codec, "kbps": kbps, "generations": generations})
            assert out.shape == clean.shape
            assert lag(clean, out) == 0, (kbps, generations)


@pytest.mark.parametrize("codec", CODECS)
def test_fewer_bits_are_worse_and_the_level_stays(codec: str) -> None:
    clean = sound(44100)
    errors = []
    for kbps in (64.0, 38.0, 22.0, 13.0, 8.0):
        out = CODEC.apply(clean, 44100, {"codec": codec, "kbps": kbps, "generations": 1})
        errors.append(10 * np.log10(np.mean((out - clean) ** 2) / np.mean(clean**2)))
        assert abs(20 * np.log10(np.std(out) / np.std(clean))) < 3
    assert (np.diff(errors) >= 0).all(), errors
    assert errors[-1] > errors[0] + 3


@pytest.mark.parametrize("codec", CODECS)
def test_generations_add_up(codec: str) -> None:
    clean = sound(44100)
    once, thrice = (CODEC.apply(clean, 44100, {"codec": codec, "kbps": 32.0, "generations": g}) for g in (1, 3))
    assert np.mean((thrice - clean) ** 2) > np.mean((once - clean) ** 2)


def test_loud_audio_is_not_clipped_by_the_encoder() -> None:
    clean = sound(44100)
    loud = CODEC.apply(clean * 40, 44100, {"codec": "mp3", "kbps": 64.0, "generations": 1})
    assert np.std(loud) == pytest.approx(np.std(clean * 40), rel=0.05)
    assert np.abs(loud).max() > 2


def test_a_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(coding.CODERS, "mp3", coding.Coder("no_such_encoder", "mp3", "fltp", ((1e9, 44100),)))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="mp3 encoder"):
        coding.code(np.zeros(4410, dtype=np.float32), 44100, "mp3", 64)
