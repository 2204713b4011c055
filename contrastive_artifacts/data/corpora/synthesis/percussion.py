"""Short hits: drums, knocks, steps, keys, clocks and clapping (natural sounds similar to clicks)."""

from __future__ import annotations

import numpy as np
import scipy

from . import dsp, score


def burst(
    rng: np.random.Generator, seconds: float, rate: int, low: float, high: float, t60_s: float, attack_s: float = 0.001
) -> np.ndarray:
    """Band-limited noise with a soft start and an exponential decay."""
    count = max(32, int(seconds * rate))
    wave = dsp.noise(rng, count, rate, lambda f: dsp.band(f, low, min(high, 0.45 * rate), 2))
    decay = np.exp(-6.9 / (t60_s * rate) * np.arange(count)).astype(np.float32)
    return dsp.fade(wave * decay, rate, attack_s, 0.005)


def hit(
    rng: np.random.Generator, seconds: float, rate: int, low: float, high: float, count: int, t60_s: float
) -> np.ndarray:
    """A struck object: ``count`` random modes between ``low`` and ``high`` Hz, unit peak."""
    frequencies = np.exp(rng.uniform(np.log(low), np.log(high), count))
    weights = rng.uniform(0.2, 1.0, count) * (low / frequencies) ** rng.uniform(0.0, 0.6)
    t60 = t60_s * rng.uniform(0.4, 1.0, count) * (low / frequencies) ** 0.3
    wave = dsp.fade(dsp.modes(frequencies, weights, t60, max(32, int(seconds * rate)), rate, rng), rate, 0.0008, 0.01)
    return wave / (np.abs(wave).max() + 1e-9)


def drums(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A loop of sixteen steps with kick, snare, hats and toms, with swing and random deviations of time and level."""
    step, swing = score.beat(rng, 70, 175) / 4, rng.uniform(0, 0.25)
    clock = np.arange(int(0.35 * rate)) / rate
    bottom, punch, sweep = rng.uniform(42, 65), rng.uniform(60, 220), rng.uniform(20, 60)
    cycles = bottom * clock + punch / sweep * (1 - np.exp(-sweep * clock))
    kick = np.sin(2 * np.pi * cycles) * np.exp(-clock * rng.uniform(8, 22))
    kick = (
        dsp.fade(kick, rate, 0.0015, 0.02)
        + 0.15 * dsp.fade(burst(rng, 0.35, rate, 800, 6000, 0.02), rate, 0.0, 0.3)[: kick.size]
    )
    snare = 0.5 * burst(rng, 0.25, rate, rng.uniform(300, 1500), 11000, rng.uniform(0.12, 0.3))
    snare += 0.8 * hit(rng, 0.25, rate, 170, 380, 3, 0.2)
    tom = hit(rng, 0.4, rate, 80, 200, 3, 0.5)
    closed = burst(rng, 0.08, rate, rng.uniform(5000, 8000), 17000, rng.uniform(0.03, 0.08))
    opened = burst(rng, 0.4, rate, rng.uniform(4000, 7000), 17000, rng.uniform(0.25, 0.5))
    kit = (kick, snare, 0.7 * tom, rng.uniform(0.15, 0.4) * closed, rng.uniform(0.1, 0.25) * opened)
    hats = int(rng.choice([1, 2, 2, 4]))
    pattern = np.zeros((5, 16))
    pattern[0, [0, 8]], pattern[1, [4, 12]], pattern[3, ::hats] = 1, 1, 0.8
    pattern[0] += rng.random(16) < 0.15
    pattern[1] += 0.35 * (rng.random(16) < 0.1)
    pattern[2] += 0.8 * (rng.random(16) < rng.choice([0.0, 0.12]))
    pattern[4] += 0.8 * (rng.random(16) < 0.06)
    out = np.zeros(samples, dtype=np.float32)
    first = int(rng.integers(16))
    for number in range(int(samples / rate / step) + 1):
        at = 0.01 + (number + swing * (number % 2)) * step
        for sound, gain in zip(kit, pattern[:, (first + number) % 16], strict=True):
            if gain:
                start = max(0.0, at + rng.normal(0, 0.004))
                dsp.place(out, start * rate, sound, min(gain, 1.0) * rng.uniform(0.6, 1.0))
    return out


def knocks(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Knocks on a door, in groups."""
    low, t60 = rng.uniform(90, 240), rng.uniform(0.06, 0.25)
    door = hit(rng, 0.3, rate, low, 12 * low, 10, t60)
    out, clock = np.zeros(samples, dtype=np.float32), rng.uniform(0.05, 0.6)
    while clock < samples / rate:
        gap = rng.uniform(0.12, 0.32)
        for _ in range(int(rng.integers(2, 6))):
            tap = burst(rng, 0.02, rate, 600, 5000, 0.012)
            dsp.place(out, clock * rate, door, rng.uniform(0.6, 1.0))
            dsp.place(out, clock * rate, tap, rng.uniform(0.1, 0.25))
            clock += gap * rng.uniform(0.85, 1.15)
        clock += rng.uniform(0.5, 1.8)
    return out


def footsteps(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Heel and toe on wood, stone, gravel, grass or snow."""
    grit, thud, ring = rng.uniform(0, 1), rng.uniform(0.2, 1), rng.choice([0.0, rng.uniform(0.1, 0.5)])
    period, low, top = rng.uniform(0.33, 0.75), rng.uniform(60, 130), rng.uniform(2500, 12000)
    out, clock, side = np.zeros(samples, dtype=np.float32), rng.uniform(0.03, 0.5), 0
    while clock < samples / rate:
        gain = rng.uniform(0.65, 1.0) * (1.0, 0.85)[side]
        dsp.place(out, clock * rate, hit(rng, 0.2, rate, low, 6 * low, 5, 0.12), thud * gain)
        if ring:
            dsp.place(out, clock * rate, hit(rng, 0.12, rate, 700, 3500, 5, 0.05), ring * gain)
        scrape = burst(rng, 0.22, rate, 350, top, rng.uniform(0.1, 0.25), 0.008)
        grains = np.abs(rng.standard_normal(scrape.size // 64 + 2)) ** (1 + 2 * grit)
        scrape *= np.interp(np.arange(scrape.size) / 64, np.arange(grains.size), grains).astype(np.float32)
        dsp.place(out, clock * rate, scrape, 0.12 * (0.3 + grit) * gain)
        toe = rng.uniform(0.06, 0.14)
        dsp.place(out, (clock + toe) * rate, burst(rng, 0.08, rate, 250, top, 0.06, 0.003), 0.1 * (0.4 + grit) * gain)
        clock, side = clock + period * rng.uniform(0.93, 1.07), 1 - side
    return out


def typing(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Keyboard or typewriter: key presses and releases in groups (words) with a duller space bar."""
    speed, low = rng.uniform(4, 11), rng.uniform(900, 2600)
    t60 = rng.uniform(0.015, 0.06)
    keys = [0.6 * hit(rng, 0.09, rate, low * rng.uniform(0.7, 1.4), 4 * low, 7, t60) for _ in range(10)]
    keys = [key + 0.35 * hit(rng, 0.09, rate, 160, 600, 3, 0.05) for key in keys]
    space = hit(rng, 0.12, rate, 200, 1600, 6, 0.07)
    out, clock = np.zeros(samples, dtype=np.float32), rng.uniform(0.02, 0.4)
    while clock < samples / rate:
        for _ in range(int(rng.integers(2, 9))):
            key, gain = keys[rng.integers(10)], rng.uniform(0.4, 1.0)
            dsp.place(out, clock * rate, key, gain)
            dsp.place(out, (clock + rng.uniform(0.06, 0.11)) * rate, key, 0.3 * gain)
            clock += rng.gamma(4, 0.25 / speed)
        dsp.place(out, clock * rate, space, rng.uniform(0.5, 0.9))
        clock += rng.gamma(4, 0.35 / speed) + (rng.random() < 0.2) * rng.uniform(0.3, 1.2)
    return out


def clock_ticks(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Wrist watch to grandfather clock: tick and tock through resonances of a case."""
    period = float(rng.choice([0.2, 0.25, 0.5, 0.5, 1.0])) * rng.uniform(0.97, 1.03)
    low = np.exp(rng.uniform(np.log(500), np.log(3500))) * min(1.0, 0.4 / period + 0.3)
    pair = [
        hit(rng, 0.1, rate, low * ratio, 5 * low, 8, rng.uniform(0.015, 0.09)) for ratio in (1.0, rng.uniform(0.8, 1.2))
    ]
    drop = dsp.fade(burst(rng, 0.03, rate, low, 4 * low, 0.01), rate, 0.001, 0.02)
    case = hit(rng, 0.25, rate, 120, 500, 4, 0.15)
    out, lead, limp = np.zeros(samples, dtype=np.float32), rng.uniform(0, period), rng.uniform(-0.05, 0.05)
    for number in range(int(samples / rate / period) + 2):
        at = lead + (number + limp * (number % 2)) * period + rng.normal(0, 0.0005)
        dsp.place(out, at * rate, pair[number % 2], rng.uniform(0.85, 1.0))
        dsp.place(out, (at - 0.012) * rate, drop, 0.15)
        dsp.place(out, at * rate, case, 0.12)
    return out


def applause(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Up to some hundred people clapping, each at their own pace; the density rises and falls."""
    seconds = samples / rate
    people = int(np.exp(rng.uniform(np.log(6), np.log(250))))
    swell = np.clip(1 + 0.4 * dsp.wander(rng, dsp.control_length(samples, rate), 0.3), 0.15, None)
    out = np.zeros(samples, dtype=np.float32)
    paces, leads = rng.uniform(0.18, 0.36, people), rng.uniform(0, 0.3, people)
    beats = np.arange(int(seconds / 0.18) + 1)
    times = leads[:, None] + paces[:, None] * (beats + rng.normal(0, 0.04, (people, beats.size)))
    gains = np.exp(rng.normal(0, 0.6, people))[:, None] * rng.uniform(0.7, 1.0, times.shape)
    group = np.broadcast_to(rng.integers(0, 5, people)[:, None], times.shape)
    for number in range(5):
        train = np.zeros(samples, dtype=np.float32)
        pick = (group == number) & (times > 0) & (times < seconds - 0.01)
        np.add.at(train, (times[pick] * rate).astype(int), gains[pick].astype(np.float32))
        centre = rng.uniform(700, 2300)
        clap = burst(rng, 0.09, rate, 0.6 * centre, 2.2 * centre, rng.uniform(0.03, 0.09), 0.0015)
        out += scipy.signal.oaconvolve(train, clap)[:samples]
    return out * dsp.expand(swell, samples, rate).astype(np.float32)
