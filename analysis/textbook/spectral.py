"""Filters, copies of the sound, rooms, noise reduction and coding."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from scipy import signal

from .common import Form, added, between, by_ratio, delayed, filtered, gain


def _brick_wall(x: np.ndarray, rate: int, low: float, high: float) -> np.ndarray:
    spectrum, hertz = np.fft.rfft(x), np.fft.rfftfreq(len(x), 1 / rate)
    return np.fft.irfft(np.where((hertz < low) | (hertz > high), 0, spectrum), len(x))


def _resampled(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    factor = int(rng.integers(2, 5))
    return signal.resample_poly(signal.resample_poly(x, 1, factor), factor, 1)[: len(x)]


def _noise_tail(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    samples = int(by_ratio(u, 0.4, 2.5) * rate)
    tail = rng.normal(size=samples) * 10 ** (-3 * np.arange(samples) / samples)
    return added(x, signal.fftconvolve(x, tail)[: len(x)], between(u, 8, -4))


def _loop(x: np.ndarray, samples: int, back: float, forward: float) -> np.ndarray:
    """y[n] = forward x[n] + x[n - samples] + back y[n - samples] - forward back x[n - samples] of comb and all-pass."""
    ahead, behind = np.zeros(samples + 1), np.zeros(samples + 1)
    ahead[0], ahead[samples], behind[0], behind[samples] = forward, 1, 1, -back
    return signal.lfilter(ahead, behind, x)


def _schroeder(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """Four combs and two all-passes: Schroeder, Natural Sounding Artificial Reverberation, 1962."""
    t60 = by_ratio(u, 0.5, 2.5)
    delays = (0.0297, 0.0371, 0.0411, 0.0437)
    wet = sum(_loop(x, int(d * rate), 10 ** (-3 * d / t60), 0.0) for d in delays)
    for delay in (0.005, 0.0017):
        wet = _loop(wet, max(1, int(delay * rate)), 0.7, -0.7)
    return added(x, wet, between(u, 8, -3))


def _repeats(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    delay = int(rng.uniform(0.08, 0.6) * rate)
    return x + sum(gain(k * between(u, -18, -5)) * delayed(x, k * delay) for k in (1, 2, 3))


def _layers(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """Copies .6 to 1.9 s before and after, 20 to 40 dB down."""
    delay, level = int(rng.uniform(0.6, 1.9) * rate), gain(between(u, -40, -20))
    return x + level * delayed(x[::-1], delay)[::-1] + 0.6 * level * delayed(x, delay)


def _copy(x: np.ndarray, rate: int, rng: np.random.Generator, level: float) -> np.ndarray:
    """With a copy .1 to 1.2 ms later, between samples, too."""
    delay = rng.uniform(0.0001, 0.0012) * rate
    late = np.interp(np.arange(len(x)) - delay, np.arange(len(x)), x)
    return x + level * late


def _flanged(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    return _loop(x, max(2, int(rng.uniform(0.0001, 0.001) * rate)), between(u, 0.3, 0.8), 1.0)


def _subtracted(x: np.ndarray, rate: int, u: float, rng: np.random.Generator, power: int) -> np.ndarray:
    """Spectral subtraction of a noise floor from magnitudes or powers: Boll, 1979; Berouti et al., 1979."""
    size = 1024 if rate > 30000 else 512
    spectrum = signal.stft(x, rate, nperseg=size)[2]
    magnitude = np.abs(spectrum) ** power
    floor = np.quantile(magnitude, 0.3, axis=1, keepdims=True) * between(u, 1.5, 4)
    gains = np.maximum(1 - floor / (magnitude + 1e-20), gain(-30))
    return signal.istft(spectrum * gains, rate, nperseg=size)[1][: len(x)]


def _gated(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    level = signal.sosfiltfilt(signal.butter(1, 20, fs=rate, output="sos"), np.abs(x))
    return x * np.where(level > np.quantile(level, between(u, 0.2, 0.5)), 1, gain(-between(u, 10, 40)))


def _lapped(x: np.ndarray, rate: int, u: float, rng: np.random.Generator) -> np.ndarray:
    """A coder of MDCT lines: each band of 16 in steps of a share of its peak, and nothing above an edge."""
    lines = 1024 if rate > 30000 else 512
    window = np.sin(np.pi * (np.arange(2 * lines) + 0.5) / (2 * lines))
    padded = np.pad(x, (lines, 3 * lines))
    frames = len(padded) // lines - 1
    k = np.arange(lines)
    basis = np.cos(np.pi / lines * (np.arange(2 * lines)[:, None] + 0.5 + lines / 2) * (k + 0.5)).astype(np.float32)
    blocks = np.stack([padded[i * lines : (i + 2) * lines] for i in range(frames)]) * window
    bands = (blocks @ basis).reshape(frames, -1, 16)
    loudest = np.abs(bands).max((1, 2), keepdims=True)
    step = np.maximum(
        gain(-between(u, 18, 8)) * np.abs(bands).max(2, keepdims=True), gain(-between(u, 60, 35)) * loudest
    )
    coded = (np.round(bands / (step + 1e-12)) * step).reshape(frames, lines)
    coded[:, int(lines * min(1, between(u, 14000, 4500) / (rate / 2))) :] = 0
    decoded = coded @ basis.T * window * 2 / lines
    out = np.zeros(len(padded))
    for i in range(frames):
        out[i * lines : (i + 2) * lines] += decoded[i]
    return out[lines : lines + len(x)]


def _file(x: np.ndarray, rate: int, form: str, subtype: str, compression: float | None = None) -> np.ndarray:
    """Through a file of libsndfile at the sample rate of the clip; compression 1 is the lowest quality."""
    stream = io.BytesIO()
    soundfile.write(stream, x, rate, format=form, subtype=subtype, compression_level=compression)
    stream.seek(0)
    return soundfile.read(stream)[0][: len(x)]


FORMS: dict[str, dict[str, Form]] = {
    "bandlimit": {
        "Butterworth": lambda x, rate, u, rng: filtered(
            x, rate, int(rng.integers(4, 9)), by_ratio(u, min(9000, 0.35 * rate), 2500)
        ),
        "slow": lambda x, rate, u, rng: filtered(x, rate, 2, by_ratio(u, min(5000, 0.3 * rate), 2000)),
        "brick wall": lambda x, rate, u, rng: _brick_wall(x, rate, 0, by_ratio(u, min(9000, 0.4 * rate), 2500)),
        "telephone": lambda x, rate, u, rng: _brick_wall(x, rate, 300, 3400 if rate > 8000 else 3000),
        "resampled": _resampled,
    },
    "reverb": {"decaying noise": _noise_tail, "Schroeder": _schroeder},
    "echo": {
        "one": lambda x, rate, u, rng: x + gain(between(u, -16, -4)) * delayed(x, int(rng.uniform(0.08, 0.3) * rate)),
        "three": _repeats,
    },
    "print_through": {"before and after": _layers},
    "comb": {
        "sum": lambda x, rate, u, rng: _copy(x, rate, rng, between(u, 0.3, 0.95)),
        "difference": lambda x, rate, u, rng: _copy(x, rate, rng, -between(u, 0.3, 0.95)),
        "feedback": _flanged,
    },
    "noise_reduction": {
        "magnitudes": lambda x, rate, u, rng: _subtracted(x, rate, u, rng, 1),
        "powers": lambda x, rate, u, rng: _subtracted(x, rate, u, rng, 2),
        "gate": _gated,
    },
    "codec": {
        "MDCT": _lapped,
        "MP3": lambda x, rate, u, rng: _file(x, rate, "MP3", "MPEG_LAYER_III", between(u, 0.8, 0.99)),
        "Vorbis": lambda x, rate, u, rng: _file(x, rate, "OGG", "VORBIS", between(u, 0.85, 1.0)),
        "IMA ADPCM": lambda x, rate, u, rng: _file(x, rate, "WAV", "IMA_ADPCM"),
    },
}
