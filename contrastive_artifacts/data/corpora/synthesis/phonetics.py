"""Speakers, vowels and consonants, and the control curves of random sentences.

Vowel targets are the averages of Peterson and Barney (J. Acoust. Soc. Am. 24, 1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import dsp

VOWELS = np.array(
    [
        (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
        (570, 840, 2410), (300, 870, 2240), (440, 1020, 2240), (640, 1190, 2390), (490, 1350, 1690),
    ],
    dtype=float,
)  # fmt: skip
# (share, seconds, voicing, noise through the tract, frication, its centre Hz and octaves, F1..F3 or the vowel's)
_CONSONANTS: tuple[tuple[float, float, float, float, float, float, float, tuple[float, float, float] | None], ...] = (
    (0.12, 0.10, 0.0, 0.0, 0.55, 6500, 0.45, None),  # s
    (0.05, 0.10, 0.0, 0.0, 0.60, 3300, 0.50, None),  # sh
    (0.07, 0.09, 0.0, 0.0, 0.16, 5500, 1.60, None),  # f, th
    (0.07, 0.07, 0.45, 0.0, 0.22, 5500, 0.80, None),  # z, v
    (0.05, 0.06, 0.0, 0.6, 0.0, 2000, 1.0, None),  # h
    (0.14, 0.065, 0.40, 0.0, 0.0, 2000, 1.0, (250, 1200, 2200)),  # m, n
    (0.14, 0.06, 0.60, 0.0, 0.0, 2000, 1.0, (350, 1150, 2500)),  # l, r, w
)
_STOPS = ((900.0, 0.9), (4200.0, 0.6), (1900.0, 0.5))  # burst centre Hz and octaves: p/b, t/d, k/g


@dataclass(frozen=True)
class Voice:
    """One speaker. ``pitch`` in Hz, ``tract`` scales the formants (1 = adult male), rates in syllables per second."""

    pitch: float
    tract: float
    rate: float
    tilt: float
    breath: float
    range: float
    effort: float

    @staticmethod
    def draw(rng: np.random.Generator) -> Voice:
        low, high, tract = ((82, 150, 1.0), (160, 255, 1.16), (240, 340, 1.36))[rng.choice(3, p=[0.44, 0.42, 0.14])]
        return Voice(
            pitch=float(np.exp(rng.uniform(np.log(low), np.log(high)))),
            tract=tract * rng.uniform(0.92, 1.08),
            rate=rng.uniform(3.2, 6.2),
            tilt=rng.uniform(0.75, 1.5),
            breath=rng.uniform(0.03, 0.2),
            range=rng.uniform(2.0, 7.0),
            effort=rng.uniform(0.3, 1.0),
        )


@dataclass
class Tracks:
    """Control curves of an utterance, each ``[M]``, but formants ``[3, M]`` in Hz.

    ``voicing``, ``aspiration`` and ``frication`` are amplitudes; ``centre`` (Hz) and ``octaves`` belong to frication.
    """

    formants: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    centre: np.ndarray
    octaves: np.ndarray
    semitones: np.ndarray


def utterance(rng: np.random.Generator, voice: Voice, seconds: float, length: int) -> Tracks:
    """Phrases of syllables with stress, final lengthening, declination and pauses."""
    rows: list[tuple[float, ...]] = []  # start, F1..F3, voicing, aspiration, frication, centre, octaves
    accents: list[tuple[float, float]] = []
    clock = -rng.uniform(0.0, 0.6)
    phrases = [clock]
    left = int(rng.integers(3, 12))
    while clock < seconds:
        vowel = VOWELS[rng.integers(len(VOWELS))] * rng.uniform(0.94, 1.06, 3)
        stress = float(rng.choice([1.0, 0.65, 0.4], p=[0.35, 0.4, 0.25]))
        clock = _consonant(rng, rows, clock, vowel, stress)
        long = rng.uniform(1.3, 2.0) if left == 0 else 1.0  # the last syllable of a phrase is longer
        span = rng.uniform(0.55, 1.2) * (0.6 + 0.5 * stress) * long * 0.75 / voice.rate
        rows.append((clock, *vowel, stress * rng.uniform(0.8, 1.1), 0.0, 0.0, 3000.0, 1.0))
        accents.append((clock + span * 0.4, stress * rng.uniform(0.2, 1.0)))
        if rng.random() < 0.35:
            glide = VOWELS[rng.integers(len(VOWELS))]
            rows.append((clock + 0.6 * span, *(0.4 * vowel + 0.6 * glide), stress * 0.8, 0.0, 0.0, 3000.0, 1.0))
        clock += span
        if rng.random() < 0.3:
            clock = _consonant(rng, rows, clock, vowel, 0.7 * stress)
        if left == 0:
            rows.append((clock, *vowel, 0.0, 0.0, 0.0, 3000.0, 1.0))
            clock += rng.uniform(0.15, 0.9)
            phrases.append(clock)
            left = int(rng.integers(3, 12))
        left -= 1
    times, table = [row[0] for row in rows], np.array(rows)[:, 1:]
    tracks = [
        dsp.steps(times, table[:, i], length, s)
        for i, s in enumerate((0.018,) * 3 + (0.010, 0.006, 0.006, 0.004, 0.004))
    ]
    clock_axis = np.arange(length) / dsp.CONTROL
    since = clock_axis - dsp.steps(phrases, phrases, length)
    semitones = 1.0 - voice.range * 0.35 * since + 0.15 * dsp.wander(rng, length, 8.0)
    for at, height in accents:
        semitones += voice.range * 0.6 * height * np.exp(-0.5 * ((clock_axis - at) / 0.09) ** 2)
    tracks[4] = tracks[4] + voice.breath * tracks[3]
    return Tracks(np.stack(tracks[:3]), tracks[3], tracks[4], tracks[5], tracks[6], tracks[7], semitones)


def _consonant(
    rng: np.random.Generator, rows: list[tuple[float, ...]], clock: float, vowel: np.ndarray, stress: float
) -> float:
    """Appends the rows of a consonant before ``vowel`` and returns the time after it."""
    kind = int(rng.choice(len(_CONSONANTS) + 2, p=[*(c[0] for c in _CONSONANTS), 0.22, 0.14]))
    if kind == len(_CONSONANTS) + 1:  # none
        return clock
    if kind == len(_CONSONANTS):
        centre, octaves = _STOPS[rng.integers(3)]
        voiced = rng.random() < 0.45
        rows.append((clock, *(vowel * (0.6, 1.1, 1.05)), 0.10 if voiced else 0.0, 0.0, 0.0, centre, octaves))
        clock += rng.uniform(0.035, 0.08)
        rows.append((clock, *vowel, 0.1 if voiced else 0.0, 0.1, stress * rng.uniform(0.35, 0.8), centre, octaves))
        clock += rng.uniform(0.006, 0.014)
        if not voiced:
            rows.append((clock, *vowel, 0.0, 0.35 * stress, 0.05, centre, octaves))
            clock += rng.uniform(0.015, 0.05)
        return clock
    _, span, voicing, aspiration, frication, centre, octaves, formants = _CONSONANTS[kind]
    targets = np.asarray(formants if formants else vowel) * rng.uniform(0.9, 1.1, 3)
    gain = 0.5 + 0.5 * stress
    centre *= rng.uniform(0.85, 1.15)
    rows.append((clock, *targets, voicing * gain, aspiration * gain, frication * gain, centre, octaves))
    return clock + span * rng.uniform(0.7, 1.3)
