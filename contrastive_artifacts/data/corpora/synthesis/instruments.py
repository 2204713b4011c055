"""Sustained instruments: continuous oscillators with control curves, so that notes are connected."""

from __future__ import annotations

import numpy as np

from . import dsp, score


def bowed(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Violin to cello: sawtooth through resonances of a wooden body, delayed vibrato, bow noise, bow changes."""
    low = int(rng.choice([36, 48, 55, 62]))
    beat = score.beat(rng, 40, 110)
    notes = score.melody(rng, samples / rate, low, low + 14, beat, rests=0.05)
    frequency, loud = _line(rng, notes, samples, rate, (4.5, 6.5), (0.1, 0.4), attack_s=rng.uniform(0.03, 0.12))
    numbers = dsp.harmonics_below(float(frequency.max()), rate)
    wave = dsp.level(_play(rng, frequency, numbers ** -rng.uniform(0.9, 1.3), samples, rate))
    wave += dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 900, 6000, 1)) * np.float32(
        10 ** rng.uniform(-2.2, -1.3)
    )
    wave *= dsp.expand(loud * (1 + 0.1 * dsp.wander(rng, loud.size, 6.0)), samples, rate).astype(np.float32)
    return dsp.shape(wave, rate, lambda f: dsp.bumps(f, rng, 9, 180, 5000, 10) * dsp.band(f, 1.4 * low, 5500, 1))


def flute(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Few harmonics with breath noise around them; vibrato mostly in loudness."""
    low = int(rng.integers(60, 76))
    notes = score.melody(rng, samples / rate, low, low + 16, score.beat(rng, 50, 130), rests=0.12)
    frequency, loud = _line(rng, notes, samples, rate, (4.0, 6.0), (0.03, 0.15), attack_s=rng.uniform(0.025, 0.07))
    numbers = dsp.harmonics_below(float(frequency.max()), rate, 7)
    weights = rng.uniform(0.3, 1.0, numbers.size) * rng.uniform(0.25, 0.5) ** (numbers - 1)
    wave = dsp.level(_play(rng, frequency, weights, samples, rate))
    pitch = float(np.median(frequency))
    air = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 0.7 * pitch, 3.5 * pitch, 1))
    wave += air * np.float32(10 ** rng.uniform(-1.9, -1.1))
    wave *= dsp.expand(loud, samples, rate).astype(np.float32)
    for note in notes:  # noise burst at the onset of a note
        chiff = dsp.noise(rng, int(0.06 * rate), rate, lambda f: dsp.band(f, pitch, 5 * pitch, 1))
        dsp.place(wave, (note.start - 0.02) * rate, dsp.fade(chiff, rate, 0.015, 0.04), 0.12 * note.loud)
    return wave


def brass(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Similar to a horn: brighter when louder."""
    low = int(rng.integers(43, 62))
    notes = score.melody(rng, samples / rate, low, low + 12, score.beat(rng, 50, 140), rests=0.2)
    frequency, loud = _line(rng, notes, samples, rate, (4.5, 6.0), (0.02, 0.2), attack_s=rng.uniform(0.03, 0.06))
    numbers = dsp.harmonics_below(float(frequency.max()), rate, 40)
    peak = rng.uniform(2, 5)
    bright = np.exp(-0.5 * (np.log(numbers / peak) / 0.8) ** 2)
    dark = np.exp(-(numbers - 1) / 1.2)
    cycles = dsp.phase_of(dsp.expand(frequency, samples, rate), rate)
    gain = dsp.expand(loud, samples, rate).astype(np.float32)
    return gain * (
        dsp.level(dsp.oscillator(cycles, dark)) + 1.3 * gain**1.5 * dsp.level(dsp.oscillator(cycles, bright))
    )


def organ(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Chords of an organ with drawbars or pipes, sometimes with a tremulant (similar to wow)."""
    drawbars = np.zeros(16)
    drawbars[[0, 1, 2, 3, 4, 5, 7, 15]] = rng.uniform(0, 1, 8) ** 1.5
    drawbars[0] = 1.0
    depth = rng.choice([0.0, rng.uniform(0.02, 0.12)])
    out = np.zeros(samples, dtype=np.float32)
    tremor = rng.uniform(4, 7)
    for start, seconds, pitches in score.chords(rng, samples / rate, int(rng.integers(40, 56)), rng.uniform(0.8, 3.0)):
        count = int((seconds + 0.05) * rate)
        clock = (np.arange(count) / rate + start) * 2 * np.pi * tremor
        bend = depth / (2 * np.pi * tremor) * -np.cos(clock) if depth else 0.0
        chord = np.zeros(count, dtype=np.float32)
        for pitch in pitches:
            tuned = score.hertz(pitch + rng.normal(0, 0.03))
            keep = drawbars[: int(min(16, max(1, 0.45 * rate / tuned)))]
            cycles = tuned * (np.arange(count) / rate + 0.06 * bend) + rng.random()
            chord += dsp.oscillator(cycles, keep, rng.uniform(0, 6.28, keep.size))
        if depth:
            chord *= (1 + 1.5 * depth * np.sin(clock)).astype(np.float32)
        dsp.place(out, start * rate, dsp.fade(chord, rate, rng.uniform(0.008, 0.05), 0.06))
    wind = dsp.noise(rng, samples, rate, lambda f: dsp.band(f, 150, 1500, 1))
    return out + wind * np.float32(0.006)


def synth_pad(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Two detuned sawtooths per note of a chord through a slowly moving low-pass."""
    out = np.zeros(samples, dtype=np.float32)
    tilt, spread = rng.uniform(0.8, 1.4), rng.uniform(0.02, 0.12)
    for start, seconds, pitches in score.chords(rng, samples / rate, int(rng.integers(36, 56)), rng.uniform(1.5, 4.0)):
        count = int((seconds + 0.5) * rate)
        chord = np.zeros(count, dtype=np.float32)
        for pitch in pitches:
            for side in (-spread, spread):
                tuned = float(score.hertz(pitch + side * rng.uniform(0.7, 1.3)))
                numbers = dsp.harmonics_below(tuned, rate, 60)
                angles = rng.uniform(0, 6.28, numbers.size)
                chord += dsp.oscillator(tuned * np.arange(count) / rate + rng.random(), numbers**-tilt, angles)
        dsp.place(out, start * rate, dsp.fade(chord, rate, rng.uniform(0.05, 0.4), 0.5))
    length = dsp.control_length(samples, rate)
    cut = rng.uniform(500, 2500) * 2 ** (rng.uniform(0.3, 1.2) * dsp.wander(rng, length, rng.uniform(0.1, 0.6)))
    frame = dsp.frame_size(rate)
    frames = dsp.spectra(out, frame)
    ratio = dsp.frequency_axis(frame, rate) / dsp.at_frames(cut, frames.shape[0], frame, rate)
    frames *= 1 / (1 + ratio * ratio)
    return dsp.unspectra(frames, frame, samples)


def bass(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Electric or synthetic bass line, sometimes with notes near the mains frequencies (similar to hum)."""
    beat, low = score.beat(rng, 60, 130), int(rng.integers(28, 36))
    notes = score.melody(rng, samples / rate, low, low + 14, beat * rng.choice([0.5, 1.0]), rests=0.1)
    out = np.zeros(samples, dtype=np.float32)
    pluck, sustain, dark = rng.uniform(0.05, 0.4), rng.uniform(0.8, 6.0), rng.uniform(1.0, 2.2)
    for note in notes:
        count = int((note.seconds * rng.uniform(0.7, 1.0) + 0.03) * rate)
        tuned = float(score.hertz(note.pitch))
        numbers = dsp.harmonics_below(tuned, rate, 36)
        weights = np.abs(np.sin(np.pi * numbers * pluck)) * numbers**-dark
        grain = dsp.modes(numbers * tuned, weights, sustain / (1 + 0.25 * numbers), count, rate, rng)
        dsp.place(out, note.start * rate, dsp.fade(grain, rate, 0.004, 0.03), note.loud)
    return out


def _line(
    rng: np.random.Generator,
    notes: list[score.Note],
    samples: int,
    rate: int,
    vibrato_hz: tuple[float, float],
    vibrato_semitones: tuple[float, float],
    attack_s: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Frequency in Hz and loudness of a melody as control curves."""
    length = dsp.control_length(samples, rate)
    clock = np.arange(length) / dsp.CONTROL
    starts = [note.start for note in notes]
    since = np.maximum(clock - dsp.steps(starts, starts, length), 0)
    angle = 2 * np.pi * np.cumsum(rng.uniform(*vibrato_hz) * (1 + 0.04 * dsp.wander(rng, length, 1.0))) / dsp.CONTROL
    depth = rng.uniform(*vibrato_semitones) * np.clip((since - 0.12) / 0.25, 0, 1)
    pitch = dsp.steps(starts, [note.pitch for note in notes], length, rng.uniform(0.006, 0.02))
    pitch = pitch + depth * np.sin(angle) + 0.02 * dsp.wander(rng, length, 5.0)
    spans = dsp.steps(starts, [note.seconds for note in notes], length)
    legato = rng.uniform(0.8, 1.05)
    held = np.clip(since / attack_s, 0, 1) * np.clip((spans * legato - since) / 0.06, 0, 1)
    held *= (clock >= starts[0]) * (0.75 + 0.25 * np.exp(-since / 0.3)) * (1 + 0.12 * np.sin(angle) * (depth > 0))
    loud = dsp.steps(starts, [note.loud for note in notes], length, 0.01) * held
    return np.asarray(score.hertz(pitch)), np.convolve(loud, np.full(9, 1 / 9), mode="same")


def _play(rng: np.random.Generator, frequency: np.ndarray, weights: np.ndarray, samples: int, rate: int) -> np.ndarray:
    cycles = dsp.phase_of(dsp.expand(frequency, samples, rate), rate, rng.random())
    return dsp.oscillator(cycles, weights, rng.uniform(0, 2 * np.pi, weights.size) * 0.2)
