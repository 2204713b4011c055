"""The recording chain of every built-in clip: room, microphone, level, noise floor."""

from __future__ import annotations

import numpy as np
from scipy import fft

from . import dsp


def record(rng: np.random.Generator, dry: np.ndarray, rate: int) -> np.ndarray:
    """Records a dry sound with a good microphone in a small or large room.

    Args:
        rng: Draws the room, the microphone and the levels.
        dry: float32 ``[T]`` of any level.
        rate: Sample rate in Hz.

    Returns:
        float32 ``[T]``, peak between -20 and -1 dBFS, with a noise floor of -75 to -95 dBFS that is also at least 45 dB
        below the sound (but not below -95 dBFS): noise of electronics, too quiet to be the artifact hiss.
    """
    samples = dry.size
    room = _room(rng, rate)
    if rng.random() < 0.6:  # background noise of the room (ventilation, traffic), with less treble than hiss
        corner, fall = rng.uniform(60, 300), rng.uniform(-11, -6)
        air = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 30, 5000, 1) * dsp.slope(f, fall, corner))
        dry = dsp.level(dry) + air * np.float32(10 ** (rng.uniform(-55, -28) / 20))
    size = fft.next_fast_len(samples + room.size, real=True)
    bins = dsp.frequency_axis(size, rate)
    spectrum = fft.rfft(dry.astype(np.float32, copy=False), size)
    spectrum *= fft.rfft(room, size) * _microphone(rng, bins, rate)
    wave = fft.irfft(spectrum, size)[:samples]

    peak = 10 ** (rng.uniform(-20, -1) / 20)
    wave *= np.float32(0.998 * peak / (np.abs(wave).max() + 1e-12))
    under = 20 * np.log10(np.sqrt(np.mean(np.square(wave, dtype=np.float64))) + 1e-9) - 45
    floor = rng.uniform(-95, max(-95.0, min(-75.0, under)))
    tilt = rng.uniform(-4, 0)
    wave += dsp.noise(rng, samples, rate, lambda f: dsp.slope(f, tilt, 200)) * np.float32(10 ** (floor / 20))
    over = float(np.abs(wave).max()) / 10 ** (-1 / 20)
    return wave / np.float32(over * 1.0001) if over > 1 else wave


def _room(rng: np.random.Generator, rate: int) -> np.ndarray:
    """Impulse response of a room: direct sound, six early reflections and a weak diffuse tail."""
    t60 = np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
    count = int(t60 * 0.8 * rate)
    clock = np.arange(count) / rate
    tail = rng.standard_normal(count).astype(np.float32) * np.exp(-6.9 * clock / t60) * np.clip(clock / 0.01, 0, 1)
    tail = np.convolve(tail, np.full(max(1, round(rate / 20000)), 1.0), mode="same")
    tail *= 10 ** (rng.uniform(-30, -9) / 20) / (np.sqrt(np.sum(tail**2)) + 1e-12)
    response = tail.astype(np.float32)
    early = rng.uniform(0.0015, 0.03, 6)
    gains = rng.uniform(0.02, 0.25) * np.exp(-early / 0.02) * rng.choice([-1, 1], 6)
    np.add.at(response, np.minimum((early * rate).astype(int), count - 1), gains.astype(np.float32))
    response[0] = 1.0
    return response


def _microphone(rng: np.random.Generator, bins: np.ndarray, rate: int) -> np.ndarray:
    """Magnitude response of a microphone: bandwidth, a slight tilt, a presence rise."""
    low = np.exp(rng.uniform(np.log(15), np.log(90)))
    high = min(np.exp(rng.uniform(np.log(8000), np.log(21000))), 0.48 * rate)
    tilt = rng.uniform(-1.0, 1.0) / 6.02 * np.log2(bins / 1000)
    presence = 10 ** (rng.uniform(-2, 5) / 20 * np.exp(-0.5 * (np.log2(bins / rng.uniform(2500, 9000)) / 0.7) ** 2))
    return (dsp.band(bins, low, high, rng.uniform(1.5, 4)) * 2**tilt * presence).astype(np.float32)
