"""What the renderings share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

Form = Callable[[np.ndarray, int, float, np.random.Generator], np.ndarray]


def gain(db: float | np.ndarray) -> float | np.ndarray:
    return 10 ** (db / 20)


def between(u: float, slight: float, severe: float) -> float:
    return slight + (severe - slight) * u


def by_ratio(u: float, slight: float, severe: float) -> float:
    return slight * (severe / slight) ** u


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


def peak(x: np.ndarray) -> float:
    return float(np.abs(x).max())


def full_scale(x: np.ndarray) -> np.ndarray:
    return x / peak(x)


def added(x: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """``x`` with a noise whose RMS is ``snr_db`` below its own."""
    return x + noise * (rms(x) / max(rms(noise), 1e-12) * gain(-snr_db))


def seconds(x: np.ndarray, rate: int) -> np.ndarray:
    return np.arange(len(x)) / rate


def somewhere(x: np.ndarray, length: int, rng: np.random.Generator) -> int:
    """Start of a part of this length, at random."""
    return int(rng.integers(0, max(1, len(x) - length)))


def filtered(x: np.ndarray, rate: int, order: int, hertz: float | list[float], kind: str = "lowpass") -> np.ndarray:
    """Through a Butterworth filter."""
    return signal.sosfilt(signal.butter(order, hertz, kind, fs=rate, output="sos"), x)


def delayed(x: np.ndarray, samples: int) -> np.ndarray:
    return np.concatenate([np.zeros(samples), x])[: len(x)]
