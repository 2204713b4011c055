"""Mixtures: conversations, crowds, speech over music, film ambiences."""

from __future__ import annotations

import numpy as np

from . import animals, dsp, environment, instruments, machines, percussion, phonetics, struck, voices


def dialogue(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Two speakers who alternate, at different distances from the microphone."""
    pair, far = [phonetics.Voice.draw(rng) for _ in range(2)], (1.0, 10 ** rng.uniform(-0.4, 0))
    out, start, turn = np.zeros(samples, dtype=np.float32), 0, int(rng.integers(2))
    while start < samples:
        count = min(int(rng.uniform(1.0, 2.8) * rate), samples - start)
        if samples - start - count < rate // 2:
            count = samples - start
        line = dsp.fade(voices.speech(rng, count, rate, pair[turn]), rate, 0.03, 0.12)
        dsp.place(out, start, dsp.level(line, far[turn]))
        start, turn = start + count, 1 - turn
    return out


def babble(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A crowd: three voices, each repeated at several speeds and times."""
    out = np.zeros(samples, dtype=np.float32)
    axis = np.arange(samples)
    for _ in range(3):
        line = voices.speech(rng, samples, rate)
        for _ in range(int(rng.integers(2, 5))):
            speed, shift = rng.uniform(0.85, 1.0), rng.integers(samples)
            copy = np.interp(axis * speed, axis, line).astype(np.float32)
            out += np.roll(dsp.fade(copy, rate, 0.05, 0.05), shift) * np.float32(10 ** rng.uniform(-0.7, 0))
    return dsp.shape(out, rate, lambda f: dsp.band(f, 80, 3500, 0.7))


def speech_over_music(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A speaker in front of one instrument or a small band."""
    players = (
        struck.piano,
        struck.guitar,
        instruments.synth_pad,
        instruments.bowed,
        percussion.drums,
        instruments.organ,
    )
    music = np.zeros(samples, dtype=np.float32)
    for which in rng.choice(len(players), int(rng.integers(1, 3)), replace=False):
        music += dsp.level(players[which](rng, samples, rate), rng.uniform(0.5, 1.0))
    return dsp.level(voices.speech(rng, samples, rate)) + dsp.level(music, 10 ** rng.uniform(-1.0, -0.25))


def ambience(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A film scene: a background (room, street, wind, water) with two or three events."""
    corner, tilt = rng.uniform(60, 400), rng.uniform(-9, -5)
    bed = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 35, 9000, 1) * dsp.slope(f, tilt, corner))
    beds = (environment.wind, environment.stream, environment.waves, machines.engine, environment.rain)
    if rng.random() < 0.6:
        bed = bed * np.float32(0.5) + dsp.level(beds[rng.integers(len(beds))](rng, samples, rate))
    events = (
        animals.birds, animals.dog, percussion.footsteps, percussion.knocks, percussion.typing, voices.speech,
        percussion.clock_ticks, animals.insects, machines.alarm,
    )  # fmt: skip
    for which in rng.choice(len(events), int(rng.integers(1, 3)), replace=False):
        bed = bed + dsp.level(events[which](rng, samples, rate), 10 ** rng.uniform(-0.5, 0.6))
    return bed
