"""Curves and steps that bend single samples."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .common import Form, between, by_ratio, full_scale, gain, rms


def _ceiling(x: np.ndarray, u: float) -> float:
    """The level that .2 to 15 % of the samples exceed."""
    return float(np.quantile(np.abs(x), 1 - by_ratio(u, 0.002, 0.15)))


def _clipped(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(x, -_ceiling(x, u), _ceiling(x, u))


def _overload(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(full_scale(x) * gain(between(u, 2, 15)), -1, 1)


def _resampled(x: np.ndarray) -> np.ndarray:
    return signal.resample_poly(signal.resample_poly(x, 147, 160), 160, 147)[: len(x)]


def _driven(x: np.ndarray, u: float, slight_db: float, severe_db: float) -> np.ndarray:
    return full_scale(x) * gain(between(u, slight_db, severe_db))


def _tanh(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    bias = rng.choice([0, 0.2])
    return np.tanh(_driven(x, u, 3, 24) + bias) - np.tanh(bias)


def _fine_tanh(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return signal.resample_poly(np.tanh(signal.resample_poly(_driven(x, u, 6, 24), 4, 1)), 1, 4)[: len(x)]


def _hyperbola(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y = _driven(x, u, 3, 20)
    return y / (1 + np.abs(y))


def _cubic(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y = np.clip(_driven(x, u, 1, 12), -1, 1)
    return y - y**3 / 3


def _tube(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    y = _driven(x, u, 3, 18)
    return np.where(y > 0, 1 - np.exp(-np.maximum(y, 0)), np.tanh(0.8 * y))


def _dead_zone(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return np.sign(x) * np.maximum(np.abs(x) - between(u, 0.04, 0.4) * rms(x), 0)


def _soft_dead_zone(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return x * np.abs(x) / (np.abs(x) + between(u, 0.05, 0.5) * rms(x))


def _steps(u: float) -> float:
    """Steps of 11 to 5 bits in a wave with peaks of 1."""
    return 2.0 ** (round(between(u, 11, 5)) - 1)


def _rounded(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return np.round(0.7 * full_scale(x) * _steps(u)) / _steps(u)


def _truncated(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return np.floor(0.7 * full_scale(x) * _steps(u)) / _steps(u)


def _dithered(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    dither = rng.uniform(-0.5, 0.5, (2, len(x))).sum(0)
    return np.round(0.7 * full_scale(x) * _steps(u) + dither) / _steps(u)


def _mu_law(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """8 bits of G.711, at a low level."""
    y = full_scale(x) * between(u, 0.3, 0.05)
    code = np.round(np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) * 127) / 127
    return np.sign(code) * (256 ** np.abs(code) - 1) / 255


def _held(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    step = rate / by_ratio(u, 0.6 * min(rate, 20000), 0.35 * min(rate, 16000))
    return x[(np.floor(np.arange(len(x)) / step) * step).astype(int)]


def _interpolated(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    step = rate / by_ratio(u, 0.6 * min(rate, 20000), 0.35 * min(rate, 16000))
    places = np.arange(0, len(x), step).astype(int)
    return np.interp(np.arange(len(x)), places, x[places])


def _decimated(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """Every second to fifth sample without a filter before it, but a perfect one after it."""
    return signal.resample(x[:: int(between(u, 2.2, 5.9))], len(x))


FORMS: dict[str, dict[str, Form]] = {
    "clipping": {
        "symmetric": _clipped,
        "by gain": _overload,
        "one side": lambda x, rate, u, rng: np.maximum(x, -_ceiling(x, u)),
        "lowered": lambda x, rate, u, rng: 0.37 * _clipped(x, rate, u, rng),
        "resampled": lambda x, rate, u, rng: _resampled(_clipped(x, rate, u, rng)),
    },
    "saturation": {
        "tanh": _tanh,
        "tanh, oversampled": _fine_tanh,
        "arctan": lambda x, rate, u, rng: np.arctan(_driven(x, u, 3, 20)),
        "hyperbola": _hyperbola,
        "cubic": _cubic,
        "tube": _tube,
    },
    "crossover": {"dead zone": _dead_zone, "soft": _soft_dead_zone},
    "quantization": {"rounded": _rounded, "truncated": _truncated, "dithered": _dithered, "mu-law": _mu_law},
    "aliasing": {"held": _held, "interpolated": _interpolated, "decimated": _decimated},
}
