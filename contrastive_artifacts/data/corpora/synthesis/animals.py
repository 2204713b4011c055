"""Birds, insects and dogs."""

from __future__ import annotations

import numpy as np

from . import dsp, voices


def birds(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """One to three birds with motifs of whistles, sweeps and trills."""
    out = np.zeros(samples, dtype=np.float32)
    seconds = samples / rate
    for _ in range(int(rng.integers(1, 4))):
        centre = min(rng.uniform(1800, 6000), 0.22 * rate)
        far = 10 ** rng.uniform(-1.0, 0.0)
        motif = [_syllable(rng, centre, rate) for _ in range(int(rng.integers(1, 5)))]
        repeats, gap = int(rng.integers(1, 8)), rng.uniform(0.02, 0.12)
        clock = rng.uniform(0.02, min(1.0, 0.4 * seconds))
        while clock < seconds:
            for _ in range(int(rng.integers(1, repeats + 1))):
                for sound in motif:
                    dsp.place(out, clock * rate, sound, far * rng.uniform(0.7, 1.0))
                    clock += sound.size / rate + gap * rng.uniform(0.8, 1.2)
            clock += rng.uniform(0.3, 2.0)
    return out


def insects(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Pulsed chirps of several crickets, not in time with each other, or the drone of cicadas."""
    length = dsp.control_length(samples, rate)
    out = np.zeros(samples, dtype=np.float32)
    if rng.random() < 0.7:
        carrier, pulse = min(rng.uniform(2800, 6500), 0.4 * rate), rng.uniform(18, 60)
        for _ in range(int(rng.integers(1, 5))):
            period, share = rng.uniform(0.3, 1.6), rng.uniform(0.25, 0.9)
            clock = np.arange(length) / dsp.CONTROL + rng.uniform(0, 5)
            wings = np.clip(np.sin(2 * np.pi * pulse * rng.uniform(0.95, 1.05) * clock), 0, 1) ** 0.7
            turn = (clock / period + 0.05 * dsp.wander(rng, length, 0.5)) % 1.0
            chirp = wings * np.clip(turn / 0.05, 0, 1) * np.clip((share - turn) / 0.05, 0, 1)
            frequency = carrier * rng.uniform(0.94, 1.06) * (1 + 0.003 * dsp.wander(rng, length, 10.0))
            wave = dsp.tone(dsp.expand(frequency, samples, rate), samples, rate, rng.random())
            out += wave * dsp.expand(chirp, samples, rate).astype(np.float32) * np.float32(10 ** rng.uniform(-0.8, 0))
    else:
        centre = min(rng.uniform(3500, 7500), 0.35 * rate)
        buzz = dsp.noise(
            rng, samples, rate, lambda f: np.exp(-0.5 * (np.log2(f / centre) / rng.uniform(0.1, 0.4)) ** 2)
        )
        clock = np.arange(length) / dsp.CONTROL
        beat = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(25, 110) * clock)
        swell = np.clip(0.6 + 0.3 * dsp.wander(rng, length, 0.4), 0.1, None)
        out += buzz * dsp.expand(beat * swell, samples, rate).astype(np.float32)
    night = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 60, 900, 1))
    return dsp.level(out) + night * np.float32(10 ** rng.uniform(-2.3, -1.2))


def dog(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Barks of one animal, small or large, single or in runs."""
    pitch, span = np.exp(rng.uniform(np.log(220), np.log(800))), rng.uniform(0.1, 0.28)
    takes = [
        voices.bark(rng, int(span * rng.uniform(0.8, 1.3) * rate), rate, pitch * rng.uniform(0.92, 1.08))
        for _ in range(3)
    ]
    out, clock = np.zeros(samples, dtype=np.float32), rng.uniform(0.03, 0.5)
    while clock < samples / rate:
        for _ in range(int(rng.integers(1, 5))):
            dsp.place(out, clock * rate, takes[rng.integers(3)], rng.uniform(0.6, 1.0))
            clock += span + rng.uniform(0.08, 0.35)
        clock += rng.uniform(0.3, 1.6)
    return out


def _syllable(rng: np.random.Generator, centre: float, rate: int) -> np.ndarray:
    seconds = np.exp(rng.uniform(np.log(0.03), np.log(0.35)))
    count = int(seconds * rate)
    u = np.linspace(0, 1, count)
    bend = rng.uniform(-0.5, 0.5) * (u - 0.5) + rng.uniform(-0.3, 0.3) * np.sin(np.pi * u)
    if rng.random() < 0.4:
        bend = bend + rng.uniform(0.02, 0.15) * np.sin(2 * np.pi * rng.uniform(15, 70) * seconds * u)
    frequency = np.minimum(centre * 2 ** (rng.uniform(-0.4, 0.4) + bend), 0.44 * rate)
    cycles = dsp.phase_of(frequency, rate)
    shape = np.sin(np.pi * u ** rng.uniform(0.5, 1.5)) ** rng.uniform(0.6, 1.5)
    second = rng.uniform(0, 0.15) * (frequency.max() < 0.22 * rate)
    return (shape * (np.sin(2 * np.pi * cycles) + second * np.sin(4 * np.pi * cycles))).astype(np.float32)
