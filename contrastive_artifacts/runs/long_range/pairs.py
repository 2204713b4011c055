"""Pairs with equal local sound: within half a second of one moment, all samples of both members are equal.

The first member has something that belongs to the recording, or happened once; the second has the artifact, which is
recognised by the sound everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ... import audio
from ...artifacts.dsp.resample_at import read_at

LOCAL_S = 1.04  # length of the equal part around the moment, longer than a patch of YAMNet (.975 s)
TURNS_HZ = (100 / 180, 45 / 60, 78 / 60)
Render = Callable[[np.ndarray, int, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Pair:
    """Two sounds that are locally equal.

    Args:
        names: Of the members.
        render: ``(waveform [T], rate, at, rng) -> (first, second)``, each [T], equal within LOCAL_S around sample
            ``at``.
    """

    names: tuple[str, str]
    render: Render


def _clicks(x: np.ndarray, rate: int, places: np.ndarray, shape: np.ndarray) -> np.ndarray:
    y = x.copy()
    for start in np.round(places).astype(int):
        if 0 <= start < len(y):
            stop = min(len(y), start + len(shape))
            y[start:stop] += shape[: stop - start]
    return y


def _click(x: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A damped resonance of 4 ms with a peak 12-24 dB above the active level."""
    t = np.arange(round(0.004 * rate)) / rate
    wave = np.cos(2 * np.pi * rng.uniform(800, 4000) * t) * np.exp(-t / 0.0008)
    return (wave * max(audio.active_rms(x[None], rate), 1e-3) * 10 ** (rng.uniform(12, 24) / 20)).astype(np.float32)


def _turns(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> np.ndarray:
    period = rate / TURNS_HZ[int(rng.integers(3))]
    return at + period * np.arange(-int(at / period), int((len(x) - 1 - at) / period) + 1)


def single_or_turning(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    shape, places = _click(x, rate, rng), _turns(x, rate, at, rng)
    return _clicks(x, rate, np.array([at]), shape), _clicks(x, rate, places, shape)


def irregular_or_turning(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same number of clicks in both; only their times differ."""
    shape, places = _click(x, rate, rng), _turns(x, rate, at, rng)
    return _clicks(x, rate, _scattered(len(x), rate, at, len(places), 0.1, rng), shape), _clicks(x, rate, places, shape)


def bass_or_hum(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A low tone with harmonics that lasts one to three seconds, or all the time."""
    t = np.arange(len(x)) / rate
    base, phases = rng.choice([50.0, 60.0]), rng.random(6)
    tone = sum(np.sin(2 * np.pi * (k * base * t + phases[k - 1])) / k for k in range(1, 7))
    level = max(audio.active_rms(x[None], rate), 1e-3) * 10 ** (rng.uniform(-14, -4) / 20)
    tone = (tone * level / np.sqrt(np.mean(np.square(tone)))).astype(np.float32)
    return x + tone * _around(len(x), rate, at, rng.uniform(0.0, 1.0), 0.05), x + tone


def pause_or_dropouts(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A single gap, as between two phrases, or the same gap among others at random times, as dropouts are."""
    half = round(rng.uniform(0.04, 0.1) * rate)
    places = _scattered(len(x), rate, at, 1 + int(rng.integers(5, 10)), 0.3, rng)
    return _gaps(x, np.array([at]), half), _gaps(x, places, half)


def vibrato_or_wow(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pitch modulation of 1.5-3 % for the length of a note, or all the time; the duration does not change."""
    t = np.arange(len(x)) / rate
    hertz, depth = rng.uniform(3, 6), rng.uniform(0.015, 0.03)
    sway = depth / (2 * np.pi * hertz) * np.sin(2 * np.pi * (hertz * t + rng.random())) * rate
    note = sway * _around(len(x), rate, at, rng.uniform(0.0, 0.5), 0.3)
    both = [read_at(x[None], np.clip(np.arange(len(x)) + ahead, 0, len(x) - 1))[0] for ahead in (note, sway)]
    return both[0], both[1]


def fade_or_pumping(x: np.ndarray, rate: int, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A fade of 6-14 dB within a second, or the same fade as part of a gain that goes down and up all the time."""
    seconds = (np.arange(len(x)) - at) / rate
    depth, half = rng.uniform(6, 14), LOCAL_S / 2
    fade = -depth * np.clip((seconds + half) / LOCAL_S, 0, 1)
    turn = (seconds + half) / LOCAL_S % 2
    pumping = -depth * np.where(turn < 1, turn, 2 - turn)
    return x * _gain(fade), x * _gain(pumping)


PAIRS: dict[str, Pair] = {
    "single / once per turn": Pair(("single_click", "turning_clicks"), single_or_turning),
    "irregular / once per turn": Pair(("irregular_clicks", "turning_clicks_2"), irregular_or_turning),
    "bass note / hum": Pair(("bass_note", "steady_hum"), bass_or_hum),
    "pause / dropouts": Pair(("pause", "dropouts"), pause_or_dropouts),
    "vibrato / wow": Pair(("vibrato", "wow"), vibrato_or_wow),
    "fade / pumping": Pair(("fade", "pumping"), fade_or_pumping),
}


def _gain(db: np.ndarray) -> np.ndarray:
    return (10 ** (db / 20)).astype(np.float32)


def _around(samples: int, rate: int, at: int, more_s: float, ramp_s: float) -> np.ndarray:
    """float32 [T]: 1 within LOCAL_S / 2 + ``more_s`` of ``at``, 0 farther away, with ramps of ``ramp_s``."""
    away = np.abs(np.arange(samples) - at) / rate - LOCAL_S / 2 - more_s
    return (0.5 + 0.5 * np.cos(np.pi * np.clip(away / ramp_s, 0, 1))).astype(np.float32)


def _scattered(samples: int, rate: int, at: int, count: int, least_s: float, rng: np.random.Generator) -> np.ndarray:
    """``at`` and ``count - 1`` random places, none within LOCAL_S / 2 + .1 s of it or ``least_s`` of another."""
    places = [float(at)]
    for _ in range(200 * count):
        if len(places) == count:
            break
        place = float(rng.uniform(0, samples))
        if abs(place - at) > (LOCAL_S / 2 + 0.1) * rate and min(abs(place - p) for p in places) > least_s * rate:
            places.append(place)
    return np.array(places)


def _gaps(x: np.ndarray, places: np.ndarray, half: int) -> np.ndarray:
    y = x.copy()
    for place in np.round(places).astype(int):
        y[max(0, place - half) : place + half] = 0.0
    return y
