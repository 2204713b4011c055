"""Noises, tones, and pulses."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .common import Form, added, between, by_ratio, filtered, peak, seconds, somewhere

TURNS_S = (1.8, 4 / 3, 0.769)  # of records at 33 1/3, 45 and 78 per minute


def _coloured(samples: int, rng: np.random.Generator, power: float) -> np.ndarray:
    """Noise whose power falls with the frequency to this power."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (power / 2)
    return np.fft.irfft(spectrum, samples)


def _mains(x: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Phase of the mains in rad."""
    return 2 * np.pi * rng.choice([50.0, 60.0]) * seconds(x, rate)


def _harmonics(x: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    phase, most = _mains(x, rate, rng), int(rng.integers(4, 12))
    return sum(rng.uniform(0.2, 1) / k * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, most))


def _tone(x: np.ndarray, rate: int, hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * min(hertz, 0.4 * rate) * seconds(x, rate))


def _sparse(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    noise = np.zeros(len(x))
    np.add.at(noise, rng.integers(0, len(x), round(by_ratio(u, 50, 1500) * len(x) / rate)), 1.0)
    return noise * rng.laplace(size=len(x))


def _pulses(x: np.ndarray, pulse: np.ndarray, starts: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """``x`` with a pulse at each start, heights re the peak of x."""
    y = x.copy()
    for start, height in zip(starts, heights * peak(x), strict=True):
        part = y[start : start + len(pulse)]
        part += height * pulse[: len(part)]
    return y


def _at_random(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, pulse: np.ndarray) -> np.ndarray:
    count = max(1, round(by_ratio(u, 0.3, 8) * len(x) / rate))
    return _pulses(x, pulse, rng.integers(0, len(x), count), rng.uniform(0.2, 0.9, count) * rng.choice([-1, 1], count))


def _once_per_turn(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, pulse: np.ndarray) -> np.ndarray:
    turn = rng.choice(TURNS_S) * rate
    starts = np.arange(rng.uniform(0, turn), len(x), turn).astype(int)
    return _pulses(x, pulse, starts, np.full(len(starts), between(u, 0.1, 0.7)))


def _bump(rate: int, length_s: float) -> np.ndarray:
    return np.hanning(max(3, round(length_s * rate)))


def _wave(rate: int, length_s: float) -> np.ndarray:
    bump = _bump(rate, length_s)
    return bump * np.sin(np.linspace(0, 2 * np.pi, len(bump)))


def _ringing(rate: int, hertz: float, decay_s: float) -> np.ndarray:
    t = np.arange(round(6 * decay_s * rate)) / rate
    return np.exp(-t / decay_s) * np.cos(2 * np.pi * hertz * t)


def _thumps(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, pulse: np.ndarray) -> np.ndarray:
    starts = np.array([somewhere(x, len(pulse), rng) for _ in range(1 + round(2 * u))])
    return _pulses(x, pulse, starts, np.full(len(starts), between(u, 0.15, 0.8)))


FORMS: dict[str, dict[str, Form]] = {
    "hiss": {
        "white": lambda x, rate, u, rng: added(x, rng.normal(size=len(x)), between(u, 40, 10)),
        "uniform": lambda x, rate, u, rng: added(x, rng.uniform(-1, 1, len(x)), between(u, 40, 10)),
        "pink": lambda x, rate, u, rng: added(x, _coloured(len(x), rng, 1), between(u, 35, 8)),
    },
    "hum": {
        "harmonics": lambda x, rate, u, rng: added(x, _harmonics(x, rate, rng), between(u, 35, 5)),
        "sine": lambda x, rate, u, rng: added(x, np.sin(_mains(x, rate, rng)), between(u, 25, -3)),
        "rectified": lambda x, rate, u, rng: added(x, np.abs(np.sin(_mains(x, rate, rng))) - 0.637, between(u, 35, 5)),
        "sawtooth": lambda x, rate, u, rng: added(x, signal.sawtooth(_mains(x, rate, rng)), between(u, 35, 5)),
    },
    "rumble": {
        "band of noise": lambda x, rate, u, rng: added(
            x, filtered(rng.normal(size=len(x)), rate, 4, [8, 35], "bandpass"), between(u, 25, 0)
        ),
        "brown": lambda x, rate, u, rng: added(x, filtered(_coloured(len(x), rng, 2), rate, 2, 60), between(u, 25, 0)),
    },
    "interference": {
        "telephone bursts": lambda x, rate, u, rng: added(
            x, (seconds(x, rate) * 216.68 % 1 < 0.125) - 0.125, between(u, 30, 5)
        ),
        "dimmer": lambda x, rate, u, rng: added(
            x, signal.lfilter([1, -1], [1, -0.9], (seconds(x, rate) * 100 % 1 < 0.3) * 1.0), between(u, 30, 5)
        ),
    },
    "whistle": {
        "line tone": lambda x, rate, u, rng: added(x, _tone(x, rate, rng.choice([15625, 15734])), between(u, 40, 15)),
        "pilot tone": lambda x, rate, u, rng: added(x, _tone(x, rate, rng.uniform(1000, 8000)), between(u, 40, 15)),
    },
    "clicks": {
        "one sample": lambda x, rate, u, rng: _at_random(x, rate, u, rng, np.ones(1)),
        "three samples": lambda x, rate, u, rng: _at_random(x, rate, u, rng, np.ones(3)),
        "ringing": lambda x, rate, u, rng: _at_random(x, rate, u, rng, _ringing(rate, 2500, 0.0002)),
        "bump": lambda x, rate, u, rng: _at_random(x, rate, u, rng, _bump(rate, 0.002)),
        "one wave": lambda x, rate, u, rng: _at_random(x, rate, u, rng, _wave(rate, 0.001)),
    },
    "crackle": {
        "single samples": lambda x, rate, u, rng: added(x, _sparse(x, rate, u, rng), between(u, 35, 10)),
        "dull": lambda x, rate, u, rng: added(
            x, filtered(_sparse(x, rate, u, rng), rate, 1, 0.25 * rate), between(u, 35, 10)
        ),
    },
    "thump": {
        "decaying": lambda x, rate, u, rng: _thumps(x, rate, u, rng, _ringing(rate, rng.uniform(25, 90), 0.04)),
        "bump": lambda x, rate, u, rng: _thumps(x, rate, u, rng, _bump(rate, 0.1) * _tone(_bump(rate, 0.1), rate, 40)),
    },
    "periodic_clicks": {
        "one sample": lambda x, rate, u, rng: _once_per_turn(x, rate, u, rng, np.ones(1)),
        "ringing": lambda x, rate, u, rng: _once_per_turn(x, rate, u, rng, _ringing(rate, 2000, 0.0004)),
        "bump": lambda x, rate, u, rng: _once_per_turn(x, rate, u, rng, _bump(rate, 0.001)),
    },
}
