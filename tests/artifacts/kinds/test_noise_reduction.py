"""Artifacts of noise reduction: musical noise, a mismatched compander, a gate."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
NR = artifacts.artifact("noise_reduction")
BASE = {
    "seed": 4, "kind": "musical", "amount": 1.0, "tilt": 0.0, "oversubtraction": 2.0, "floor_db": -60.0, "hold_ms": 5.0,
}  # fmt: skip


def tone(hertz: float, level_db: float, seconds: float = 4.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """``[1, 4 s]``: a harmonic tone and digital silence, alternating every half second; -20 dBFS."""
    voice = sum(tone(150 * n, -25 - 3 * n)[0] for n in range(1, 8))
    on = (np.arange(voice.size) // (RATE // 2)) % 2 == 0
    return (voice * on).astype(np.float32)[None]


def bins(wave: np.ndarray) -> np.ndarray:
    """Power ``[bins, frames]`` from 1 to 18 kHz."""
    hertz, _, power = signal.spectrogram(
        wave[0].astype(np.float64), RATE, nperseg=1024, noverlap=512, detrend=False, window="hann"
    )
    return power[(hertz > 1000) & (hertz < 18000)]


def pauses(wave: np.ndarray) -> np.ndarray:
    """The inner part of the first pause."""
    return wave[:, RATE // 2 + 2500 : RATE - 2500]


def kurtosis(power: np.ndarray) -> float:
    """E[p^2] / E[p]^2: 2 for Gaussian noise, greater for sparse tones (Uemura et al., IWAENC 2008)."""
    return float(np.mean(power**2) / np.mean(power) ** 2)


@pytest.mark.parametrize("tilt", [0.0, 0.6])
def test_the_residue_is_sparse(spoken: np.ndarray, tilt: float) -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal((1, RATE))
    assert kurtosis(bins(noise)) == pytest.approx(2, rel=0.1)
    left = pauses(NR.apply(spoken, RATE, {**BASE, "tilt": tilt}))
    power = bins(left)
    power = power / power.mean(axis=1, keepdims=True)
    assert kurtosis(power) > 5
    # Peaks 10 dB above the mean of their bin, which are rare in noise, whose power is exponentially distributed.
    assert 0.01 < np.mean(power > 10) < 0.1
    assert np.mean(power > 10) > 100 * np.exp(-10)


def test_oversubtraction_lowers_the_residue_and_a_floor_fills_it(spoken: np.ndarray) -> None:
    level = [np.std(pauses(NR.apply(spoken, RATE, {**BASE, "oversubtraction": a}))) for a in (1.0, 2.0, 4.0)]
    assert level[0] > 1.3 * level[1] > 2 * level[2]
    bare, floored = (bins(pauses(NR.apply(spoken, RATE, {**BASE, "floor_db": f}))) for f in (-60.0, -20.0))
    assert np.quantile(floored, 0.2) > 5 * np.quantile(bare, 0.2)


def test_the_level_of_the_noise_that_was_subtracted(spoken: np.ndarray) -> None:
    """With over-subtraction a, exp(-a) of the power of Gaussian noise is left; the windows change little."""
    active = np.sqrt(np.mean(spoken[spoken != 0].astype(np.float64) ** 2))
    for amount, level_db in ((0.0, -36), (1.0, -8)):
        out = pauses(NR.apply(spoken, RATE, {**BASE, "amount": amount, "oversubtraction": 1.0}))
        assert 20 * np.log10(np.std(out) / active) == pytest.approx(level_db - 10 / np.log(10), abs=1.5)


def test_loud_sound_is_preserved(spoken: np.ndarray) -> None:
    out = NR.apply(spoken, RATE, {**BASE, "amount": 0.3})
    error = (out - spoken)[:, 2000 : RATE // 2 - 2000]
    assert 20 * np.log10(np.std(error) / np.std(spoken[:, 2000 : RATE // 2 - 2000])) < -15


def treble_db(kind: str, level_db: float, hertz: float, amount: float = 1.0) -> float:
    """Gain of a tone at ``level_db`` re a tone of 150 Hz at -20 dBFS, which sets the level of the clip."""
    wave = tone(150, -20) + tone(hertz, -20 + level_db)
    out = NR.apply(wave, RATE, {**BASE, "kind": kind, "amount": amount})
    probe = np.exp(-2j * np.pi * hertz / RATE * np.arange(RATE, 3 * RATE))
    return 20 * np.log10(np.abs(np.dot(out[0, RATE : 3 * RATE], probe) / np.dot(wave[0, RATE : 3 * RATE], probe)))


def test_undecoded_boosts_faint_highs_only() -> None:
    assert treble_db("undecoded", -55, 6000) == pytest.approx(9.6, abs=0.7)
    assert treble_db("undecoded", -55, 1200) == pytest.approx(6, abs=0.8)
    assert treble_db("undecoded", -55, 600) == pytest.approx(3, abs=0.8)
    assert abs(treble_db("undecoded", -55, 100)) < 0.5
    # 20 dB above the threshold the corner is ten times as high, 17 kHz.
    assert treble_db("undecoded", -20, 6000) == pytest.approx(3.2, abs=0.5)
    assert treble_db("undecoded", 0, 6000) < 1.5
    assert treble_db("undecoded", -55, 6000, amount=0.0) == pytest.approx(2, abs=0.3)


def test_overdecoded_is_the_inverse_of_undecoded() -> None:
    for level_db in (-55, -20, 0):
        both = treble_db("undecoded", level_db, 5000) + treble_db("overdecoded", level_db, 5000)
        assert both == pytest.approx(0, abs=0.2)


def test_mistracked_attenuates_medium_levels_most() -> None:
    faint, middle, loud = (treble_db("mistracked", level_db, 6000) for level_db in (-58, -22, 0))
    assert abs(faint) < 0.5
    assert middle < -2
    assert middle < loud - 1
    assert treble_db("mistracked", -22, 6000, amount=0.0) > middle + 1


def test_a_gate_attenuates_pauses_and_cuts_decays() -> None:
    time = np.arange(4 * RATE) / RATE
    envelope = np.exp(-4 * (time % 1.0))  # a note per second that decays by 35 dB
    note = tone(440, -10)[0] * envelope
    hiss = 1e-4 * np.random.default_rng(2).standard_normal(4 * RATE)
    wave = (note + hiss).astype(np.float32)[None]
    view_out, segments = NR.render(wave, RATE, {**BASE, "kind": "gate", "amount": 0.8, "floor_db": -60.0})
    gated = segments[(segments[:, 1] - segments[:, 0]) > RATE // 10]
    assert len(gated) == 4
    for start, stop in gated:
        inner = slice(start + RATE // 50, stop - RATE // 100)
        drop = np.std(view_out[:, inner]) / np.std(wave[:, inner])
        assert 20 * np.log10(drop) == pytest.approx(-60, abs=1)
        before = np.std(wave[:, start - RATE // 50 : start])
        assert before > 10 * np.std(hiss), "the tail is still sound where it is cut"


def test_a_higher_threshold_gates_more() -> None:
    wave = (tone(440, -10)[0] * np.exp(-8 * (np.arange(4 * RATE) / RATE % 1.0))).astype(np.float32)[None]
    touched = [
        float(np.diff(NR.segments(wave, RATE, {**BASE, "kind": "gate", "amount": a}), axis=1).sum())
        for a in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert (np.diff(touched) > 0).all()


def test_a_gate_closes_once_without_pauses(steady: np.ndarray) -> None:
    for wave in (steady, np.full((1, RATE), 0.3, dtype=np.float32), tone(440, -10)):
        out, segments = NR.render(wave, RATE, {**BASE, "kind": "gate", "amount": 0.0, "hold_ms": 80.0})
        assert 0 < (segments[:, 1] - segments[:, 0]).sum() < wave.shape[1]
        outside = np.ones(wave.shape[1], dtype=bool)
        for start, stop in segments:
            outside[start:stop] = False
        assert_array_equal(out[:, outside], wave[:, outside])


def test_channels_are_processed_equally(spoken: np.ndarray) -> None:
    wide = np.repeat(spoken, 3, axis=0)
    for kind in ("musical", "undecoded", "mistracked", "gate"):
        out = NR.apply(wide, RATE, {**BASE, "kind": kind, "amount": 0.5})
        assert_array_equal(out[1], out[0])
        np.testing.assert_allclose(out[:1], NR.apply(spoken, RATE, {**BASE, "kind": kind, "amount": 0.5}), atol=1e-6)


def test_a_gate_closes_after_its_hold() -> None:
    wave = tone(440, -10, 1.0)
    wave[:, : RATE // 10] *= 0.02  # the least share is fainter than this
    wave[:, RATE // 2 :] *= 1e-3
    for hold_ms in (5.0, 33.0, 80.0):
        start, stop = NR.segments(wave, RATE, {**BASE, "kind": "gate", "amount": 0.0, "hold_ms": hold_ms})[-1]
        # The level window of 10 ms and the hold pass before the gate closes within 10 ms.
        assert 0 < (start / RATE - 0.5) * 1e3 - hold_ms < 10
        assert stop == wave.shape[1]
