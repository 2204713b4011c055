"""Thumps: frequency, decay, peak, number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts, audio

RATE = 8000
THUMP = artifacts.artifact("thump")


def make(**changes: object) -> dict:
    params = {"seed": 3, "rate_hz": 0.2, "level_db": 10.0, "spread_db": 0.0, "hertz": 60.0, "decay_ms": 60.0}
    return {**params, **changes}


def complete_thumps(**changes: object) -> list[np.ndarray]:
    """Thumps that neither overlap nor are cut by the end of the clip."""
    silence = np.zeros((1, 5 * RATE), dtype=np.float32)
    thumps = []
    for seed in range(12):
        params = make(seed=seed, **changes)
        out, segments = THUMP.render(silence, RATE, params)
        last = 5 * params["decay_ms"] * 1e-3 * np.exp(0.2) * RATE + 1
        thumps += [out[0, a:b].astype(np.float64) for a, b in segments if b - a <= last and b < out.shape[1]]
    assert len(thumps) > 6
    return thumps


@pytest.mark.parametrize("hertz", [25.0, 60.0, 90.0])
def test_it_has_its_frequency(hertz: float) -> None:
    peaks = []
    for thump in complete_thumps(hertz=hertz, decay_ms=100.0):
        spectrum = np.abs(np.fft.rfft(thump, 1 << 16))
        peaks.append(np.argmax(spectrum) * RATE / (1 << 16))
    assert np.median(peaks) == pytest.approx(hertz, rel=0.15)
    assert all(15 < peak < 105 for peak in peaks)


@pytest.mark.parametrize("decay", [25.0, 60.0, 90.0])
def test_it_decays_with_its_time_constant(decay: float) -> None:
    decays = []
    for thump in complete_thumps(hertz=90.0, decay_ms=decay):
        envelope = np.log(np.abs(signal.hilbert(thump)))
        part = slice(int(0.2 * len(thump)), int(0.6 * len(thump)))
        decays.append(-1000 / RATE / np.polyfit(np.arange(len(thump))[part], envelope[part], 1)[0])
    assert np.median(decays) == pytest.approx(decay, rel=0.15)


def test_its_peak_is_the_given_one_and_it_does_not_click(steady: np.ndarray) -> None:
    wave = np.repeat(steady[:, : 44100 * 2], 2, axis=1)
    added = (THUMP.apply(wave, 44100, make(level_db=18.0)) - wave)[0].astype(np.float64)
    assert np.abs(added).max() == pytest.approx(audio.active_rms(wave, 44100) * 10 ** (18 / 20), rel=0.01)
    power = np.square(np.abs(np.fft.rfft(added * np.hanning(len(added)))))
    hertz = np.fft.rfftfreq(len(added), 1 / 44100)
    assert power[hertz > 400].sum() < 1e-3 * power.sum()


def test_the_rate_is_the_given_one_and_every_clip_has_a_thump() -> None:
    minute = np.zeros((1, 60 * 1000), dtype=np.float32)
    counts = [len(THUMP.segments(minute, 1000, make(rate_hz=0.5, decay_ms=20.0, seed=s))) for s in range(20)]
    assert np.mean(counts) == pytest.approx(30, rel=0.15)
    assert all(len(THUMP.segments(minute[:, :50], 1000, make(seed=s))) == 1 for s in range(10))


def test_no_two_start_together_and_cancel(steady: np.ndarray) -> None:
    wave = steady[:, :44100]
    for seed in (63, 177, *range(20)):
        energy = [
            np.square(artifacts.render("thump", wave, 44100, s, seed).waveform - wave).sum() for s in (0.5, 0.75, 1)
        ]
        assert energy == sorted(energy)
