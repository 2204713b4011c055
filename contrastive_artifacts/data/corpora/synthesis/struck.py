"""Plucked and struck bodies: every note is a sum of decaying modes."""

from __future__ import annotations

import numpy as np

from . import dsp, score


def guitar(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Plucked strings: a melody or strummed chords; pluck position and damping set the brightness."""
    out = np.zeros(samples, dtype=np.float32)
    pluck, t60, damping = rng.uniform(0.08, 0.35), rng.uniform(1.5, 6.0), rng.uniform(0.1, 0.6)
    if rng.random() < 0.5:
        notes = score.melody(rng, samples / rate, 40, 72, score.beat(rng, 70, 150), rests=0.05)
    else:
        notes = []
        for start, seconds, pitches in score.chords(rng, samples / rate, 45, rng.uniform(0.5, 1.6)):
            spread = rng.uniform(0.008, 0.04)
            order = pitches if rng.random() < 0.6 else pitches[::-1]
            for i, pitch in enumerate([*order, order[0] + 12]):
                notes.append(
                    score.Note(start + i * spread * rng.uniform(0.6, 1.4), seconds + 0.3, pitch, rng.uniform(0.4, 1))
                )
    for note in notes:
        dsp.place(out, note.start * rate, _string(rng, note, rate, pluck, t60, damping, 3e-5), note.loud)
    return dsp.shape(out, rate, lambda f: dsp.bumps(f, rng, 6, 90, 3000, 7))


def piano(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Piano: broken or block chords and a melody, with hammer noise."""
    beat = score.beat(rng, 55, 130)
    notes = score.melody(rng, samples / rate, 60, 84, beat, rests=0.15)
    for start, seconds, pitches in score.chords(rng, samples / rate, 41, beat * int(rng.choice([2, 4]))):
        rolled = rng.random() < 0.5
        for i, pitch in enumerate(pitches):
            at = start + (i * beat / 2 if rolled else rng.uniform(0, 0.015))
            notes.append(score.Note(at, seconds, pitch, rng.uniform(0.3, 0.8)))
    out = np.zeros(samples, dtype=np.float32)
    t60, strike = rng.uniform(3, 9), rng.uniform(0.1, 0.14)
    hammer = dsp.noise(rng, int(0.05 * rate), rate, lambda f: dsp.band(f, 80, 1200, 1))
    hammer = dsp.fade(hammer, rate, 0.002, 0.045)
    for note in notes:
        string = _string(rng, note, rate, strike, t60, rng.uniform(0.25, 0.35) * (1.4 - note.loud), 2e-4, unison=0.004)
        dsp.place(out, note.start * rate, string, note.loud)
        dsp.place(out, note.start * rate, hammer, 0.02 * note.loud)
    return out


def marimba(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Wooden or metal bars, with partials of a tuned or an untuned bar."""
    ratios = np.array(((1, 3.93, 9.24, 16.3), (1, 2.76, 5.40, 8.93), (1, 3.0, 6.1, 10.5))[rng.integers(3)])
    t60 = np.exp(rng.uniform(np.log(0.25), np.log(1.8))) / (1 + np.arange(4) * rng.uniform(0.8, 2.0))
    weights = np.array([1, 0.35, 0.15, 0.06]) * rng.uniform(0.5, 1.5, 4)
    low, beat = int(rng.integers(45, 70)), score.beat(rng, 70, 170)
    out = np.zeros(samples, dtype=np.float32)
    mallet = dsp.fade(dsp.noise(rng, int(0.012 * rate), rate, lambda f: dsp.band(f, 400, 5000, 1)), rate, 0.0012, 0.01)
    for note in score.melody(rng, samples / rate, low, low + 20, beat, rests=0.1):
        grain = dsp.modes(score.hertz(note.pitch) * ratios, weights, t60, int(min(1.8, 1.3 * t60[0]) * rate), rate, rng)
        dsp.place(out, note.start * rate, dsp.fade(grain, rate, 0.0015, 0.02), note.loud)
        dsp.place(out, note.start * rate, mallet, 0.06 * note.loud)
    return out


def bells(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Church bell, hand bells or chimes: inharmonic partials in pairs that beat, long decays."""
    base = np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.1, 5.3, 6.7]) * rng.uniform(0.99, 1.01, 11)
    ratios = np.concatenate([base, base * (1 + rng.uniform(2e-4, 3e-3, 11))])
    size = rng.uniform(1.0, 8.0)
    t60 = size / (0.4 + np.tile(base, 2) ** rng.uniform(0.6, 1.0))
    weights = np.tile(rng.uniform(0.2, 1.0, 11) / base ** rng.uniform(0.3, 1.0), 2)
    low = int(rng.integers(50, 84))
    times = [rng.uniform(0.05, 0.4)]
    while times[-1] < samples / rate:
        times.append(times[-1] + size * rng.uniform(0.15, 0.4) + 0.15)
    pitches = low + np.array([0, 2, 4, 7, 9, 12])[rng.integers(0, 1 if rng.random() < 0.3 else 6, len(times))]
    out = np.zeros(samples, dtype=np.float32)
    for at, pitch in zip(times, pitches, strict=True):
        count = min(int(2.2 * size * rate), samples - int(at * rate))
        if count > 64:
            grain = dsp.modes(score.hertz(pitch) * ratios, weights, t60, count, rate, rng)
            dsp.place(out, at * rate, dsp.fade(grain, rate, 0.002, 0.05), rng.uniform(0.5, 1.0))
    return out


def _string(
    rng: np.random.Generator,
    note: score.Note,
    rate: int,
    pluck: float,
    t60: float,
    damping: float,
    stiff: float,
    unison: float = 0.0,
) -> np.ndarray:
    """One string, damped at the end of the note; two if ``unison``, their relative detuning, is not 0."""
    tuned = float(score.hertz(note.pitch))
    numbers = dsp.harmonics_below(tuned, rate, 32)
    frequencies = tuned * numbers * np.sqrt(1 + stiff * numbers**2)
    weights = np.abs(np.sin(np.pi * numbers * pluck)) * np.exp(-damping * (numbers - 1) * 0.6) / numbers**0.5
    decay = t60 * (110 / tuned) ** 0.35 / (1 + 0.12 * numbers)
    if unison:
        apart = 1 + rng.uniform(0.05, 0.3) * unison
        frequencies, weights = np.concatenate([frequencies, frequencies * apart]), np.tile(weights, 2)
        decay = np.tile(decay, 2)
    count = int(min(note.seconds + 0.15, 2.5) * rate)
    return dsp.fade(dsp.modes(frequencies, weights, decay, count, rate, rng), rate, 0.002, 0.12)
