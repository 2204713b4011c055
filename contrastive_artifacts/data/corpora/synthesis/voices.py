"""Voices: formant synthesis with a glottal table, noise sources and moving vocal-tract resonances.

Source and filter after the cascade formant synthesiser (Klatt, J. Acoust. Soc. Am. 67, 1980).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from . import dsp
from .phonetics import VOWELS, Tracks, Voice, utterance


def speech(rng: np.random.Generator, samples: int, rate: int, voice: Voice | None = None) -> np.ndarray:
    """Sentences of random syllables with pauses, accents and declination."""
    voice = voice or Voice.draw(rng)
    return _render(rng, utterance(rng, voice, samples / rate, dsp.control_length(samples, rate)), voice, samples, rate)


def whisper(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """The same syllables without vocal-fold vibration."""
    voice = Voice.draw(rng)
    tracks = utterance(rng, voice, samples / rate, dsp.control_length(samples, rate))
    tracks.aspiration = np.maximum(tracks.aspiration, tracks.voicing * rng.uniform(0.4, 0.7))
    tracks.voicing = np.zeros_like(tracks.voicing)
    tracks.frication *= rng.uniform(0.5, 0.9)
    return _render(rng, tracks, voice, samples, rate)


def singing(rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """A sung melody with portamento and natural vibrato (similar to wow)."""
    voice = Voice.draw(rng)
    seconds, length = samples / rate, dsp.control_length(samples, rate)
    scale = np.array(((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9, 9, 12))[rng.integers(3)])
    times, notes, loud, clock, degree = [], [], [], -rng.uniform(0, 0.5), int(rng.integers(0, 5))
    while clock < seconds:
        times.append(clock)
        notes.append(float(scale[degree % 7] + 12 * (degree // 7)))
        rest = rng.random() < 0.12 and len(times) > 1
        loud.append(0.0 if rest else rng.uniform(0.5, 1.0))
        clock += rng.uniform(0.2, 0.45) if rest else rng.choice([0.3, 0.6, 1.2]) * rng.uniform(0.8, 1.3)
        degree = int(np.clip(degree + rng.integers(-2, 3), -3, 8))
    curve = dsp.steps(times, notes, length, rng.uniform(0.02, 0.05))
    return sung(rng, samples, rate, voice.pitch * 1.25, curve, dsp.steps(times, loud, length, 0.03), times, voice)


def sung(
    rng: np.random.Generator,
    samples: int,
    rate: int,
    pitch: float,
    semitones: np.ndarray | float = 0.0,
    loudness: np.ndarray | float = 1.0,
    syllables: list[float] | None = None,
    voice: Voice | None = None,
) -> np.ndarray:
    """Sung vowels at ``pitch`` Hz plus ``semitones`` (constant or control curve), vibrato of 4.5-6.8 Hz included."""
    voice = voice or Voice.draw(rng)
    length = dsp.control_length(samples, rate)
    syllables = syllables or [0.0]
    clock = np.arange(length) / dsp.CONTROL
    since = clock - dsp.steps(syllables, syllables, length)
    deviation = rng.uniform(0.25, 0.9) * np.clip((since - 0.15) / 0.3, 0, 1) * (1 + 0.15 * dsp.wander(rng, length, 1.0))
    angle = 2 * np.pi * np.cumsum(rng.uniform(4.5, 6.8) * (1 + 0.05 * dsp.wander(rng, length, 0.8))) / dsp.CONTROL
    vowels = VOWELS[rng.integers(0, len(VOWELS), len(syllables))]
    formants = np.stack([dsp.steps(syllables, vowels[:, i], length, 0.035) for i in range(3)])
    dips = 1 - 0.6 * np.exp(-0.5 * ((since - 0.01) / 0.025) ** 2)  # the consonants between the vowels
    zeros = np.zeros(length)
    amplitude = (
        loudness * dips * (1 + 0.12 * np.sin(angle + 0.7) * (deviation > 0)) * np.minimum(1, clock / 0.06 + 0.02)
    )
    tracks = Tracks(
        formants=formants,
        voicing=ndimage.gaussian_filter1d(amplitude, 6),
        aspiration=voice.breath * amplitude,
        frication=zeros,
        centre=zeros + 5000,
        octaves=zeros + 1,
        semitones=semitones + deviation * np.sin(angle),
    )
    tracks.formants[0] = np.maximum(tracks.formants[0], 1.05 * pitch * 2 ** (tracks.semitones / 12) / voice.tract)
    return _render(rng, tracks, voice, samples, rate, pitch)


def bark(rng: np.random.Generator, samples: int, rate: int, pitch: float) -> np.ndarray:
    """A call similar to a bark: pitch that rises and falls, rough voice, a mouth that opens and closes."""
    length = dsp.control_length(samples, rate)
    u = np.linspace(0, 1, length)
    arch = np.sin(np.pi * u) ** rng.uniform(0.5, 0.9)
    rough = 1 + rng.uniform(0.05, 0.4) * dsp.wander(rng, length, 60.0)
    first = 450 + rng.uniform(300, 700) * arch
    formants = np.stack([first, first * rng.uniform(1.8, 2.4), np.full(length, rng.uniform(2400, 3300))])
    semitones = rng.uniform(2, 8) * (arch - 0.6) + 0.4 * dsp.wander(rng, length, 40.0)
    zeros = np.zeros(length)
    voice = Voice(pitch, rng.uniform(0.8, 1.3), 4.0, rng.uniform(0.5, 1.0), 0.2, 1.0, 1.0)
    tracks = Tracks(formants, arch * rough.clip(0.2), 0.25 * arch, 0.05 * arch, zeros + 4000, zeros + 1.5, semitones)
    return dsp.fade(_render(rng, tracks, voice, samples, rate), rate, 0.006, 0.03)


def _render(
    rng: np.random.Generator, tracks: Tracks, voice: Voice, samples: int, rate: int, pitch: float | None = None
) -> np.ndarray:
    jitter = rng.uniform(0.03, 0.14) * dsp.wander(rng, tracks.semitones.size, 60.0)
    frequency = (pitch or voice.pitch) * 2 ** ((tracks.semitones + jitter) / 12)
    numbers = dsp.harmonics_below(float(frequency.max()), rate)
    pulse = numbers**-voice.tilt * (1 + voice.effort * (numbers == 1))
    cycles = dsp.phase_of(dsp.expand(frequency, samples, rate), rate, rng.random())
    voiced = dsp.oscillator(cycles, pulse, 0.35 * np.pi * np.minimum(numbers, 40) ** 0.5)
    shimmer = 1 + rng.uniform(0.02, 0.08) * dsp.wander(rng, jitter.size, 60.0)
    voiced = dsp.level(voiced) * dsp.expand(tracks.voicing * shimmer, samples, rate).astype(np.float32)
    hiss = rng.standard_normal(samples, dtype=np.float32)
    breath = hiss * dsp.expand(tracks.aspiration, samples, rate).astype(np.float32)
    spit = hiss * dsp.expand(tracks.frication, samples, rate).astype(np.float32)

    frame = dsp.frame_size(rate)
    bins = dsp.frequency_axis(frame, rate)
    airy = dsp.slope(bins, -2.0, 5000.0) * dsp.band(bins, 1200.0, 1e6, 1.0) * np.float32(0.8)  # bright, as breath is
    frames = dsp.spectra(voiced, frame) + dsp.spectra(breath, frame) * airy
    count = frames.shape[0]
    tract = np.ones((count, bins.size), dtype=np.complex64)
    for track, width in zip(tracks.formants, (70.0, 100.0, 150.0), strict=True):
        tract *= _resonance(bins, dsp.at_frames(track * voice.tract, count, frame, rate), width)
    fixed = np.ones(bins.size, dtype=np.complex64)
    for number in range(4, 14):  # the upper formants do not move
        fixed *= _resonance(bins, np.float32((number - 0.5) * 1000 * voice.tract), 120.0 + 60 * (number - 3))
    frames *= fixed / tract
    octaves = np.log2(bins / np.float32(1000))
    offset = octaves - np.log2(dsp.at_frames(tracks.centre, count, frame, rate) / np.float32(1000))
    noisy = np.exp(np.float32(-0.5) * (offset / dsp.at_frames(tracks.octaves, count, frame, rate)) ** 2)
    frames += dsp.spectra(spit, frame) * noisy
    return dsp.unspectra(frames, frame, samples)


def _resonance(bins: np.ndarray, centre: np.ndarray | np.float32, width: float) -> np.ndarray:
    """Denominator of a resonance with unit gain at 0 Hz; for scalars (the fixed formants) the gain itself."""
    square = centre * centre
    denominator = (1 - bins * bins / square) + (1j * np.float32(width)) * (bins / square)
    denominator = denominator.astype(np.complex64)
    return denominator if np.ndim(centre) else 1 / denominator
