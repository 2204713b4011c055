"""Engines, propellers, machinery and signals."""

from __future__ import annotations

import numpy as np

from . import dsp
from .percussion import burst, hit


def engine(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A combustion engine: uneven cylinders, intake noise modulated by them, load changes."""
    cylinders = int(rng.choice([1, 2, 4, 6, 8]))
    length = dsp.control_length(samples, rate)
    speed = np.exp(rng.uniform(np.log(9), np.log(45)))  # cycles of all cylinders per second
    revs = speed * 2 ** (rng.uniform(0.02, 0.5) * dsp.wander(rng, length, rng.uniform(0.1, 0.5)))
    revs *= 1 + 0.006 * dsp.wander(rng, length, 8.0)
    cycles = dsp.phase_of(dsp.expand(revs, samples, rate), rate, rng.random())
    numbers = dsp.harmonics_below(float(revs.max()), rate, 300)
    firing = sum(  # each cylinder adds the same pulse with its own delay and strength
        rng.uniform(0.75, 1.0) * np.exp(-2j * np.pi * numbers * (c + rng.normal(0, 0.01)) / cylinders)
        for c in range(cylinders)
    )
    pulse = firing * np.exp(-numbers / (cylinders * rng.uniform(3, 9)))
    tone = dsp.level(dsp.oscillator(cycles, np.abs(pulse), np.angle(pulse)))
    intake = dsp.noise(
        rng, samples, rate, lambda f: dsp.band(f, 200, rng.uniform(1500, 6000), 1) * dsp.slope(f, -4, 400)
    )
    intake *= np.clip(1 + 0.5 * tone, 0.05, 2.5)
    load = np.clip(1 + 0.2 * dsp.wander(rng, length, 0.5), 0.3, None) * revs / speed
    wave = (tone + intake * np.float32(rng.uniform(0.08, 0.5))) * dsp.expand(load, samples, rate).astype(np.float32)
    return dsp.shape(wave, rate, lambda f: dsp.bumps(f, rng, 8, 60, 3000, 9) * dsp.band(f, 35, 4000, 0.7))


def propeller(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Helicopter, fan or aircraft: blade slap, noise modulated by the blades, Doppler-like drift."""
    length = dsp.control_length(samples, rate)
    blades = np.exp(rng.uniform(np.log(9), np.log(90)))
    passing = blades * (1 + rng.uniform(0.003, 0.03) * dsp.wander(rng, length, 0.4))
    cycles = dsp.phase_of(dsp.expand(passing, samples, rate), rate)
    numbers = dsp.harmonics_below(float(passing.max()), rate, 60)
    slap = dsp.level(dsp.oscillator(cycles, numbers ** rng.uniform(-0.5, 0.4) * np.exp(-numbers / rng.uniform(4, 15))))
    wash = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 80, rng.uniform(800, 4000), 1) * dsp.slope(f, -3, 300))
    wash *= 1 + rng.uniform(0.2, 0.9) * dsp.oscillator(cycles, np.array([1.0, 0.3, 0.1])) / 1.4
    near = np.clip(1 + 0.3 * dsp.wander(rng, length, 0.25), 0.2, None)
    return (slap * np.float32(rng.uniform(0.3, 1.2)) + wash) * dsp.expand(near, samples, rate).astype(np.float32)


def machinery(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A workshop machine: motor whine, hits in a fixed rhythm (similar to periodic clicks), steam."""
    period = np.exp(rng.uniform(np.log(0.12), np.log(1.1)))
    low = np.exp(rng.uniform(np.log(90), np.log(900)))
    parts = [
        (
            rng.uniform(0, 1),
            rng.uniform(0.3, 1.0),
            hit(rng, 0.35, rate, low * rng.uniform(0.5, 2), 14 * low, 12, rng.uniform(0.05, 0.4)),
        )
        for _ in range(int(rng.integers(1, 4)))
    ]
    out = np.zeros(samples, dtype=np.float32)
    for turn in range(-1, int(samples / rate / period) + 1):
        for share, gain, sound in parts:
            at = max(0.004, (turn + share) * period + rng.normal(0, 0.002))
            dsp.place(out, at * rate, sound, gain * rng.uniform(0.8, 1.0))
    length = dsp.control_length(samples, rate)
    whine = rng.uniform(60, 420) * (1 + 0.004 * dsp.wander(rng, length, 2.0))
    numbers = dsp.harmonics_below(float(whine.max()), rate, 24)
    weights = rng.uniform(0.1, 1, numbers.size) / numbers
    motor = dsp.oscillator(
        dsp.phase_of(dsp.expand(whine, samples, rate), rate), weights, rng.uniform(0, 6.28, numbers.size)
    )
    rumble = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 50, rng.uniform(300, 3000), 1))
    out = dsp.level(out) + dsp.level(motor, rng.uniform(0.03, 0.4)) + rumble * np.float32(rng.uniform(0.03, 0.3))
    if rng.random() < 0.4:
        steam = burst(rng, 0.7 * period, rate, 1500, 9000, 0.6 * period, 0.2 * period)
        for turn in range(0, int(samples / rate / period) + 1, int(rng.integers(1, 5))):
            dsp.place(out, (turn + 0.1) * period * rate, steam, 0.25)
    return out


def siren(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A distant siren: wail, yelp or two tones."""
    length = dsp.control_length(samples, rate)
    clock = np.arange(length) / dsp.CONTROL + rng.uniform(0, 10)
    low, ratio, kind = rng.uniform(350, 750), rng.uniform(1.25, 2.3), int(rng.integers(3))
    turns = clock * (rng.uniform(0.12, 0.5), rng.uniform(2.0, 4.5), rng.uniform(0.5, 1.2))[kind]
    if kind < 2:
        rise = 0.5 - 0.5 * np.cos(2 * np.pi * turns)
    else:
        rise = np.convolve((turns % 1.0 < 0.5).astype(float), np.full(15, 1 / 15), mode="same")
    drift = 1 + 0.01 * dsp.wander(rng, length, 0.2)
    frequency = dsp.expand(low * ratio**rise * drift, samples, rate)
    numbers = dsp.harmonics_below(float(frequency.max()), rate, 14)
    weights = numbers ** -rng.uniform(1.0, 2.2) * (1 - rng.uniform(0, 0.9) * (numbers % 2 == 0))
    wave = dsp.oscillator(dsp.phase_of(frequency, rate), weights, rng.uniform(0, 6.28, numbers.size))
    near = np.clip(1 + 0.35 * dsp.wander(rng, length, 0.3), 0.15, None)
    street = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 50, 700, 1))
    wave = dsp.level(wave) * dsp.expand(near, samples, rate).astype(np.float32)
    return wave + street * np.float32(10 ** rng.uniform(-2, -0.9))


def alarm(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Beeps of clocks, ovens or telephones: groups of tones with soft onsets and ends."""
    top = 0.3 * rate
    first = min(np.exp(rng.uniform(np.log(450), np.log(3600))), top)
    pitches = [first, min(first * rng.uniform(1.1, 1.6), top)] if rng.random() < 0.4 else [first]
    on, off, group = rng.uniform(0.04, 0.4), rng.uniform(0.04, 0.3), int(rng.integers(1, 6))
    count = int(on * rate)
    beeps = []
    for pitch in pitches:
        numbers = dsp.harmonics_below(pitch, rate, 12)
        weights = numbers ** -rng.uniform(1.0, 3.5) * (1 - 0.9 * (numbers % 2 == 0) * rng.random())
        wobble = 1 + rng.choice([0.0, 0.3]) * np.sin(2 * np.pi * rng.uniform(15, 25) * np.arange(count) / rate)
        beep = dsp.oscillator(pitch * np.arange(count) / rate, weights) * wobble
        beeps.append(dsp.fade(dsp.level(beep), rate, rng.uniform(0.003, 0.015), rng.uniform(0.005, 0.08)))
    out, clock, number = np.zeros(samples, dtype=np.float32), rng.uniform(0.02, 0.4), 0
    pause = rng.uniform(0.2, 1.2)
    while clock < samples / rate:
        for _ in range(group):
            dsp.place(out, clock * rate, beeps[number % len(beeps)])
            clock, number = clock + on + off, number + 1
        clock += pause
    return out
