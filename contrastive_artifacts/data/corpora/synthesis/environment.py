"""Weather, water and fire: filtered noise with slow random modulation, and many small events."""

from __future__ import annotations

import numpy as np
import scipy

from . import dsp
from .percussion import burst


def rain(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Light to heavy rain: noise of distant drops, and near drops on a surface (similar to hiss and clicks)."""
    low, high, tilt = rng.uniform(150, 1200), rng.uniform(5000, 16000), rng.uniform(-5, 0)
    wash = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, low, high, 1) * dsp.slope(f, tilt, 1000))
    swell = 1 + 0.15 * dsp.wander(rng, dsp.control_length(samples, rate), 0.7)
    wash *= dsp.expand(swell, samples, rate).astype(np.float32)
    pitch, ring, density = (
        rng.uniform(700, 4500),
        rng.uniform(0.004, 0.03),
        np.exp(rng.uniform(np.log(15), np.log(900))),
    )
    drops = np.zeros(samples, dtype=np.float32)
    for _ in range(4):
        train = np.zeros(samples, dtype=np.float32)
        at = (dsp.poisson_times(rng, density / 4, samples / rate) * rate).astype(int).clip(0, samples - 1)
        train[at] = np.exp(rng.normal(-0.5, 0.9, at.size))
        frequency = pitch * 2 ** rng.uniform(-1.0, 1.0)
        drop = burst(rng, 0.05, rate, 0.5 * frequency, 2.5 * frequency, ring * rng.uniform(0.5, 2), 0.0007)
        drops += scipy.signal.oaconvolve(train, drop)[:samples]
    return dsp.level(wash) + dsp.level(drops, 10 ** rng.uniform(-0.9, 0.5))


def wind(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Gusts that are brighter when louder, sometimes with a whistle as in a gap."""
    length = dsp.control_length(samples, rate)
    gust = np.clip(
        0.55 + 0.3 * dsp.wander(rng, length, rng.uniform(0.15, 0.6)) + 0.08 * dsp.wander(rng, length, 4.0), 0.04, 1.4
    )
    frame = dsp.frame_size(rate, 0.046)
    frames = dsp.spectra(rng.standard_normal(samples, dtype=np.float32), frame)
    bins, count = dsp.frequency_axis(frame, rate), frames.shape[0]
    strength = dsp.at_frames(gust, count, frame, rate)
    corner = rng.uniform(150, 700) * (0.4 + strength)
    gain = strength**1.5 / (1 + (bins / corner) ** 2) ** 0.5 * dsp.slope(bins, rng.uniform(-5, -2), 150)
    if rng.random() < 0.6:
        drift = 2 ** (0.35 * dsp.wander(rng, length, 0.5)) * rng.uniform(300, 1300)
        centre = dsp.at_frames(drift, count, frame, rate) * (0.7 + 0.4 * strength)
        gain = gain + rng.uniform(0.1, 0.8) * strength**3 * np.exp(-0.5 * ((bins - centre) / (0.06 * centre)) ** 2)
    frames *= gain.astype(np.float32)
    return dsp.unspectra(frames, frame, samples)


def waves(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Surf: waves that rise, break with bright noise and draw back over pebbles."""
    length = dsp.control_length(samples, rate)
    clock = np.arange(length) / dsp.CONTROL
    crest, pull = np.zeros(length), np.zeros(length)
    at, period = -rng.uniform(0, 4), rng.uniform(3.0, 8.0)
    while at < samples / rate + 3:
        rise, fall, gain = rng.uniform(0.4, 1.5), rng.uniform(0.8, 2.5), rng.uniform(0.5, 1.0)
        crest += gain * np.where(clock < at, np.exp((clock - at) / rise), np.exp(-(clock - at) / fall))
        pull += 0.4 * gain * np.exp(-0.5 * ((clock - at - 1.3 * fall) / (0.5 * fall)) ** 2)
        at += period * rng.uniform(0.6, 1.4)
    low = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 50, 450, 1))
    surf = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 300, rng.uniform(2500, 8000), 1) * dsp.slope(f, -3, 600))
    wash = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 1500, rng.uniform(6000, 13000), 1))
    curves = (0.25 + crest * 0.6, crest**1.6, pull * (1 + 0.25 * dsp.wander(rng, length, 20.0)))
    gains = [dsp.expand(curve, samples, rate).astype(np.float32) for curve in curves]
    return gains[0] * low * 0.8 + gains[1] * surf + gains[2] * wash * np.float32(rng.uniform(0.1, 0.4))


def stream(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A brook: bubbles (decaying tones of rising pitch) over soft noise."""
    rush = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 250, rng.uniform(2500, 9000), 1) * dsp.slope(f, -4, 500))
    rush *= dsp.expand(1 + 0.2 * dsp.wander(rng, dsp.control_length(samples, rate), 3.0), samples, rate).astype(
        np.float32
    )
    low, high = rng.uniform(250, 600), rng.uniform(1200, 3500)
    pool, count = 40, int(0.09 * rate)
    pitch = np.exp(rng.uniform(np.log(low), np.log(high), pool))[:, None]
    clock = np.arange(count) / rate
    decay = pitch * rng.uniform(0.03, 0.12, (pool, 1))
    cycles = pitch * (clock + 0.5 * rng.uniform(0.5, 6.0, (pool, 1)) * clock**2)
    bubbles = np.sin(2 * np.pi * cycles) * np.exp(-decay * clock) * np.minimum(1, clock / 0.003)
    bubbles = (bubbles * np.clip((clock[-1] - clock) / 0.02, 0, 1)).astype(np.float32)
    out = np.zeros(samples, dtype=np.float32)
    times = dsp.poisson_times(rng, np.exp(rng.uniform(np.log(25), np.log(180))), samples / rate)
    gains = np.exp(rng.normal(0, 0.7, times.size))
    for at, which, gain in zip(times, rng.integers(0, pool, times.size), gains, strict=True):
        dsp.place(out, at * rate, bubbles[which], gain)
    return dsp.level(out) + rush * np.float32(10 ** rng.uniform(-1.0, 0.1))


def fire(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Crackles in clusters, a modulated low noise and a faint high noise."""
    length = dsp.control_length(samples, rate)
    roar = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 40, rng.uniform(200, 600), 1))
    roar *= dsp.expand(np.clip(1 + 0.4 * dsp.wander(rng, length, 5.0), 0.1, None), samples, rate).astype(np.float32)
    air = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 1000, 8000, 1))
    air *= dsp.expand(np.clip(0.6 + 0.4 * dsp.wander(rng, length, 2.0), 0.05, None), samples, rate).astype(np.float32)
    cracks = np.zeros(samples, dtype=np.float32)
    clusters = dsp.poisson_times(rng, rng.uniform(1.5, 6.0), samples / rate)
    sizes = rng.geometric(0.12, clusters.size)
    times = np.repeat(clusters, sizes) + rng.exponential(0.07, int(sizes.sum()))
    pool = [
        burst(rng, 0.03, rate, low, low * rng.uniform(2, 6), np.exp(rng.uniform(np.log(0.002), np.log(0.02))), 0.0005)
        for low in rng.uniform(500, 4500, 12)
    ]
    for at, which, gain in zip(
        times, rng.integers(0, 12, times.size), np.exp(rng.normal(-1.2, 1.0, times.size)), strict=True
    ):
        dsp.place(cracks, at * rate, pool[which], gain)
    return dsp.level(cracks) + roar * np.float32(rng.uniform(0.15, 0.9)) + air * np.float32(rng.uniform(0.02, 0.15))
