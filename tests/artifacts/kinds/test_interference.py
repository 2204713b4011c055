"""Interference: level, bursts of a telephone, steps of a dimmer."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio

RATE = 44100
INTERFERENCE = artifacts.artifact("interference")


def make(**changes: object) -> dict:
    params = {
        "snr_db": 5.0, "source": "gsm", "mains_hz": 50, "firing": 0.5, "coupling_hz": 30.0, "cutoff_hz": 14000.0,
        "phase": 0.0,
    }  # fmt: skip
    return {**params, **changes}


def of_silence(rate: int, seconds: float, **changes: object) -> np.ndarray:
    silence = np.zeros((1, int(seconds * rate)), dtype=np.float32)
    return INTERFERENCE.apply(silence, rate, make(**changes))[0].astype(np.float64)


@pytest.mark.parametrize("severity", [0.0, 0.4, 1.0])
def test_the_snr_is_the_given_one(severity: float, clip: np.ndarray) -> None:
    for seed in range(8):
        buzz = artifacts.render("interference", clip, RATE, severity, seed).waveform.astype(np.float64) - clip
        snr = 20 * np.log10(audio.active_rms(clip, RATE) / np.sqrt(np.mean(buzz**2)))
        assert snr == pytest.approx(30 - 25 * severity, abs=0.5)


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 44056])
def test_a_telephone_sends_25_bursts_in_26_frames(rate: int) -> None:
    wave = of_silence(rate, 1.2, coupling_hz=20.0)
    height = np.quantile(wave, 0.999) - np.quantile(wave, 0.3)
    high = wave > np.quantile(wave, 0.3) + 0.5 * height
    starts = (np.flatnonzero(np.diff(high.astype(int)) == 1) + 1) / rate
    stops = (np.flatnonzero(np.diff(high.astype(int)) == -1) + 1) / rate
    gaps = np.diff(starts) / (0.12 / 26)
    assert set(np.round(gaps).astype(int)) == {1, 2}  # one frame, or two where a burst is left out
    assert np.abs(gaps - np.round(gaps)).max() < 0.03
    idle = starts[:-1][np.round(gaps) == 2]
    assert len(idle) >= 9
    assert np.diff(idle) == pytest.approx(0.12, rel=0.01)
    stops = stops[stops > starts[0]]
    assert np.median(stops - starts[: len(stops)]) == pytest.approx(576.9e-6, abs=1.5 / rate)


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_dimmer_has_two_steps_per_cycle_of_opposite_sign(mains: int, rate: int) -> None:
    wave = of_silence(rate, 2.0, source="dimmer", mains_hz=mains, coupling_hz=2000.0)
    steps = np.flatnonzero(np.abs(wave) > 0.6 * np.abs(wave).max())
    steps = steps[np.append(True, np.diff(steps) > rate / 500)]
    assert np.diff(steps) / rate == pytest.approx(0.5 / mains, abs=2.5 / rate)
    assert (np.sign(wave[steps[1:]]) == -np.sign(wave[steps[:-1]])).all()
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    grid = np.fft.rfftfreq(len(wave), 1 / rate)
    off = np.abs(grid / mains % 2 - 1) > 0.1  # odd harmonics only: positive and negative steps are equal
    assert spectrum[off].max() < 1e-3 * spectrum.max()


def test_the_step_is_at_the_firing_angle() -> None:
    for firing in (0.3, 0.6):
        wave = of_silence(RATE, 0.02, source="dimmer", firing=firing, coupling_hz=2000.0)
        assert np.argmax(np.abs(wave)) / RATE % 0.01 == pytest.approx(firing * 0.01, abs=2e-4)


@pytest.mark.parametrize("source", ["gsm", "dimmer"])
@pytest.mark.parametrize("rate", [8000, 11025, 48000])
def test_there_is_no_energy_near_half_the_sample_rate(source: str, rate: int) -> None:
    wave = of_silence(rate, 3.0, source=source, mains_hz=60)
    power = np.square(np.abs(np.fft.rfft(wave * np.blackman(len(wave)))))
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    assert power[hertz > 0.46 * rate].sum() < 1e-9 * power.sum()


def test_both_sources_are_drawn(clip: np.ndarray) -> None:
    drawn = [artifacts.render("interference", clip[:, :441], RATE, 0.5, s).params["parameters"] for s in range(40)]
    assert {(p["source"], p["mains_hz"]) for p in drawn} == {(a, b) for a in ("gsm", "dimmer") for b in (50, 60)}
