"""Random tempi, scales, melodies and chords for the instruments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 4, 7, 9, 12, 14),
    (0, 3, 5, 7, 10, 12, 15),
)
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 0), (5, 3, 0, 4), (0, 2, 3, 4), (0, 6, 5, 4))


@dataclass(frozen=True)
class Note:
    """``start`` and ``seconds`` in seconds, ``pitch`` in MIDI numbers, ``loud`` in 0..1."""

    start: float
    seconds: float
    pitch: float
    loud: float


def hertz(pitch: float | np.ndarray) -> float | np.ndarray:
    """Frequency of a MIDI number (A4 = 69 = 440 Hz)."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def melody(
    rng: np.random.Generator,
    seconds: float,
    low: int,
    high: int,
    beat_s: float,
    rests: float = 0.1,
    jitter_s: float = 0.012,
) -> list[Note]:
    """A melody in small steps of a scale between two MIDI numbers; starts within the first beat."""
    scale, tonic, detune = _SCALES[rng.integers(len(_SCALES))], rng.integers(0, 12), rng.uniform(-0.4, 0.4)
    ladder = sorted({n for n in range(low, high + 1) if (n - tonic) % 12 in {s % 12 for s in scale}}) or [low]
    rhythm = rng.choice([0.25, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0], size=8)
    notes: list[Note] = []
    clock, place, count = rng.uniform(0.02, 0.3) * beat_s, int(rng.integers(len(ladder))), 0
    while clock < seconds:
        span = rhythm[count % rhythm.size] * beat_s
        if rng.random() >= rests or not notes:
            start = max(0.0, clock + rng.normal(0, jitter_s))
            notes.append(Note(start, span, ladder[place] + detune, float(rng.uniform(0.45, 1.0))))
        place = int(np.clip(place + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3]), 0, len(ladder) - 1))
        clock, count = clock + span, count + 1
    return notes


def chords(
    rng: np.random.Generator, seconds: float, low: int, chord_s: float
) -> list[tuple[float, float, list[float]]]:
    """``(start, seconds, pitches)`` of a progression of three- or four-note chords above MIDI number ``low``."""
    scale, tonic, detune = _SCALES[rng.integers(3)], low + int(rng.integers(0, 12)), rng.uniform(-0.4, 0.4)
    progression, voices = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))], int(rng.integers(3, 5))
    result = []
    clock, count = -rng.uniform(0, 0.5) * chord_s, int(rng.integers(4))
    while clock < seconds:
        root = progression[count % 4]
        pitches = [tonic + scale[(root + 2 * i) % 7] + 12 * ((root + 2 * i) // 7) + detune for i in range(voices)]
        result.append((max(clock, 0.02), chord_s + min(clock, 0.0), [p - 12 * (p > low + 21) for p in pitches]))
        clock, count = clock + chord_s, count + 1
    return result


def beat(rng: np.random.Generator, slow: float = 60, fast: float = 160) -> float:
    """Length of a beat in seconds at a random tempo."""
    return float(60 / np.exp(rng.uniform(np.log(slow), np.log(fast))))
