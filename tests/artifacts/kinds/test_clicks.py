"""Clicks: number, level, shape and spacing."""

from __future__ import annotations

import time

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio

RATE = 44100
CLICKS = artifacts.artifact("clicks")


def make(**changes: object) -> dict:
    params = {
        "seed": 5, "rate_hz": 5.0, "level_db": 20.0, "spread_db": 0.0, "shape": "resonance", "length_ms": 1.0,
        "resonance_hz": 3000.0, "spacing": "random",
    }  # fmt: skip
    return {**params, **changes}


@pytest.mark.parametrize("shape", ["impulse", "decay", "resonance", "burst", "pop", "mixed"])
def test_every_segment_holds_a_click_and_the_rest_is_not_changed(shape: str, steady: np.ndarray) -> None:
    params = make(shape=shape)
    out = CLICKS.apply(steady, RATE, params)
    changed = (out != steady)[0]
    segments = CLICKS.segments(steady, RATE, params)
    assert 10 <= len(segments) <= 32
    for start, stop in segments:
        assert changed[start]
        assert changed[start:stop].mean() > 0.9
        changed[start:stop] = False
    assert not changed.any()


def test_an_impulse_is_one_sample_of_the_given_level(steady: np.ndarray) -> None:
    params = make(shape="impulse", rate_hz=0.2, level_db=24.0)
    clicks = CLICKS.apply(steady, RATE, params) - steady
    segments = CLICKS.segments(steady, RATE, params)
    assert (np.diff(segments) == 1).all()
    expected = audio.active_rms(steady, RATE) * 10 ** (24 / 20)
    assert np.abs(clicks[0, segments[:, 0]]) == pytest.approx(expected, rel=1e-4)


def test_a_resonance_has_its_frequency() -> None:
    silence = np.zeros((1, RATE), dtype=np.float32)
    params = make(rate_hz=0.2, length_ms=5.0, resonance_hz=3000.0, seed=8)
    out = CLICKS.apply(silence, RATE, params)[0]
    start, stop = CLICKS.segments(silence, RATE, params)[0]
    spectrum = np.abs(np.fft.rfft(out[start:stop], 8192))
    assert 3000 * 0.5 < np.argmax(spectrum) * RATE / 8192 < 3000 * 2
    assert np.abs(out[stop - 20 : stop]).max() < 0.2 * np.abs(out[start : start + 30]).max()


def test_a_pop_is_smooth_with_or_without_a_dip_after_the_bump() -> None:
    silence = np.full((1, 20 * RATE), 1e-3, dtype=np.float32)
    params = make(shape="pop", length_ms=4.0, rate_hz=0.5)
    pops = CLICKS.apply(silence, RATE, params)[0] - silence[0]
    dips = []
    for start, stop in CLICKS.segments(silence, RATE, params):
        pop = pops[start:stop] / np.abs(pops[start:stop]).max()
        assert np.abs(np.diff(pop, prepend=0.0, append=0.0)).max() < 3.3 * np.pi / (stop - start)
        dips.append(pop.min() < -0.5 and pop.max() > 0.5)
    assert 0 < sum(dips) < len(dips)


@pytest.mark.parametrize("rate", [0.2, 2.0, 20.0])
def test_the_rate_is_the_given_one(rate: float) -> None:
    minute = np.zeros((1, 60 * 8000), dtype=np.float32)
    counts = [len(CLICKS.segments(minute, 8000, make(rate_hz=rate, shape="impulse", seed=s))) for s in range(20)]
    assert np.mean(counts) == pytest.approx(60 * rate, rel=0.12)


def test_every_clip_has_a_click_and_the_number_grows_with_severity() -> None:
    short = np.zeros((1, 2000), dtype=np.float32)
    for seed in range(20):
        assert len(artifacts.render("clicks", short, RATE, 0.0, seed).segments) >= 1
    counts = [
        len(artifacts.render("clicks", np.zeros(10 * RATE), RATE, s, 3).segments) for s in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert counts == sorted(counts)
    assert counts[0] <= 5
    assert counts[-1] > 100


def test_regular_clicks_are_evenly_spaced() -> None:
    out = CLICKS.segments(np.zeros((1, 20 * RATE), dtype=np.float32), RATE, make(spacing="regular", rate_hz=1.8))
    assert np.diff(out[:, 0]) / RATE == pytest.approx(1 / 1.8, rel=0.02)


def test_hours_of_clicks_take_seconds() -> None:
    hour = np.zeros((1, 3600 * 8000), dtype=np.float32)
    begin = time.perf_counter()
    segments = CLICKS.segments(hour, 8000, make(rate_hz=20.0))
    assert len(segments) > 60000
    out = CLICKS.apply(hour, 8000, make(rate_hz=20.0))
    assert time.perf_counter() - begin < 10
    assert (out[0, segments[:, 0]] != 0).all()


def test_a_burst_is_noise_through_a_resonance() -> None:
    silence = np.zeros((1, 10 * RATE), dtype=np.float32)
    params = make(shape="burst", length_ms=5.0, resonance_hz=4000.0, rate_hz=20.0)
    out, segments = CLICKS.render(silence, RATE, params)
    bursts = [out[0, a:b] for a, b in segments if b - a > 150]
    power = np.mean([np.square(np.abs(np.fft.rfft(b / np.abs(b).max(), 1024))) for b in bursts], axis=0)
    hertz = np.fft.rfftfreq(1024, 1 / RATE)
    assert 0.6 * 4000 < hertz[np.argmax(power)] < 1.6 * 4000
    assert power[(hertz > 2000) & (hertz < 8000)].sum() > 0.8 * power.sum()
    assert len({np.round(b[:50], 6).tobytes() for b in bursts}) == len(bursts)
