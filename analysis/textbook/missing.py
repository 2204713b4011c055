"""Parts of the sound that are lost, repeated or displaced, changes of its level, and of its speed."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .common import Form, between, by_ratio, gain, peak, seconds, somewhere

TAPS = np.arange(-16, 17)  # of the interpolation of motion


def _zeroed(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, taper: float = 0.0) -> np.ndarray:
    """.5 to 12 % of the sound, in gaps of 5 to 150 ms."""
    y, left = x.copy(), by_ratio(u, 0.005, 0.12) * len(x)
    while left > 0:
        length = int(rng.uniform(0.005, 0.15) * rate)
        start = somewhere(x, length, rng)
        y[start : start + length] *= 1 - signal.windows.tukey(length, taper)
        left -= length
    return y


def _faded(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """Three dips of 6 to 28 dB, 50 to 300 ms long."""
    y = x.copy()
    for _ in range(3):
        length = int(rng.uniform(0.05, 0.3) * rate)
        start = somewhere(x, length, rng)
        y[start : start + length] *= 1 - (1 - gain(between(u, -6, -28))) * np.hanning(length)
    return y


def _deleted(x: np.ndarray, rate: int, rng: np.random.Generator, count: int) -> np.ndarray:
    for _ in range(count):
        length = int(by_ratio(rng.random(), 0.003, 0.1) * rate)
        start = somewhere(x, length, rng)
        x = np.delete(x, slice(start, start + length))
    return x


def _repeated(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """One to three parts of 20 to 120 ms, three to five times each, over what follows them."""
    y = x.copy()
    for _ in range(1 + round(2 * u)):
        length, times = int(rng.uniform(0.02, 0.12) * rate), int(rng.integers(3, 6))
        start = somewhere(x, times * length, rng)
        y[start : start + times * length] = np.tile(x[start : start + length], times)
    return y


def _joint(x: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.integers(len(x) // 5, len(x) * 4 // 5))


def _level_joint(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y, joint = x.copy(), _joint(x, rng)
    y[joint:] *= gain(rng.choice([-1, 1]) * between(u, 3, 10))
    return y


def _inverted(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y, joint = x.copy(), _joint(x, rng)
    y[joint:] *= -1
    return y


def _offset(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y, joint = x.copy(), _joint(x, rng)
    y[joint:] += between(u, 0.05, 0.3) * peak(x) * np.exp(-np.arange(len(x) - joint) / (0.2 * rate))
    return y


def _lost_packets(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, size_s: float, kind: str) -> np.ndarray:
    """4 to 20 % of the packets, replaced by silence, by the one before, or by it backwards and softer."""
    y, size = x.copy(), int(size_s * rate)
    for start in range(2 * size, len(x) - size, size):
        if rng.random() < between(u, 0.04, 0.2):
            before = y[start - size : start]
            y[start : start + size] = {"silence": 0 * before, "repeated": before, "backwards": 0.7 * before[::-1]}[kind]
    return y


def _moved(x: np.ndarray, rate: int, hertz: float, percent: float, rng: np.random.Generator) -> np.ndarray:
    """A sine of speed with this peak, by a windowed sinc of 33 samples."""
    n = np.arange(len(x))
    sway = np.sin(2 * np.pi * hertz * n / rate + rng.uniform(0, 6))
    place = n + percent / 100 * rate / (2 * np.pi * hertz) * sway
    whole = np.floor(place).astype(int)
    offset = (place - whole)[:, None] - TAPS
    kernel = np.sinc(offset) * np.cos(np.pi * np.clip(offset / (len(TAPS) + 1), -0.5, 0.5)) ** 2
    return np.einsum("nk,nk->n", x[np.clip(whole[:, None] + TAPS, 0, len(x) - 1)], kernel)


def _compressed(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """A compressor with a fast attack and a release of .2 to .7 s, its level taken every millisecond."""
    step = rate // 1000
    blocks = np.abs(x[: len(x) // step * step]).reshape(-1, step).max(1)
    level, levels, fall = 0.0, np.empty(len(blocks)), np.exp(-0.001 / between(u, 0.2, 0.7))
    for index, block in enumerate(blocks):
        level = block + (level - block) * (np.exp(-0.001 / 0.005) if block > level else fall)
        levels[index] = level
    threshold = gain(-between(u, 15, 35)) * peak(x)
    gains = np.minimum(1, (np.maximum(levels, 1e-9) / threshold) ** (1 / between(u, 3, 12) - 1))
    return x * np.interp(np.arange(len(x)), (np.arange(len(blocks)) + 0.5) * step, gains)


def _gain_change(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, length_s: float) -> np.ndarray:
    start = _joint(x, rng)
    decibels = rng.choice([-1, 1]) * between(u, 3, 12)
    return x * gain(np.interp(np.arange(len(x)), [start, start + length_s * rate], [0, decibels]))


FORMS: dict[str, dict[str, Form]] = {
    "dropout": {"zeros": _zeroed, "faded": lambda x, rate, u, rng: _zeroed(x, rate, u, rng, taper=0.1)},
    "tape_dropout": {"dips": _faded},
    "skip": {
        "one": lambda x, rate, u, rng: _deleted(x, rate, rng, 1),
        "several": lambda x, rate, u, rng: _deleted(x, rate, rng, int(rng.integers(2, 6))),
    },
    "stutter": {"loops": _repeated},
    "splice": {"level": _level_joint, "polarity": _inverted, "offset": _offset},
    "packet_loss": {
        "silence, 10 ms": lambda x, rate, u, rng: _lost_packets(x, rate, u, rng, 0.01, "silence"),
        "silence, 30 ms": lambda x, rate, u, rng: _lost_packets(x, rate, u, rng, 0.03, "silence"),
        "repeated, 20 ms": lambda x, rate, u, rng: _lost_packets(x, rate, u, rng, 0.02, "repeated"),
        "backwards, 20 ms": lambda x, rate, u, rng: _lost_packets(x, rate, u, rng, 0.02, "backwards"),
    },
    "wow_flutter": {
        ".55 Hz": lambda x, rate, u, rng: _moved(x, rate, 0.55, by_ratio(u, 0.15, 2), rng),
        "4 Hz": lambda x, rate, u, rng: _moved(x, rate, 4, by_ratio(u, 0.1, 1.5), rng),
        "12 Hz": lambda x, rate, u, rng: _moved(x, rate, 12, by_ratio(u, 0.1, 1.5), rng),
    },
    "pumping": {
        "compressor": _compressed,
        "swaying": lambda x, rate, u, rng: (
            x * gain(between(u, 1.5, 6) * np.sin(2 * np.pi * rng.uniform(0.3, 1.8) * seconds(x, rate)))
        ),
    },
    "gain_step": {
        "5 ms": lambda x, rate, u, rng: _gain_change(x, rate, u, rng, 0.005),
        ".5 s": lambda x, rate, u, rng: _gain_change(x, rate, u, rng, 0.5),
    },
}
