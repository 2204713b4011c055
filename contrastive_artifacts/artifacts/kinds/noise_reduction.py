"""Spectral: artifacts of noise reduction: musical noise, a mismatched decoder, a gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, pick, whole
from ..dsp.levels import reference
from ..dsp.noise_gate import gate
from ..fields import SEED, Choice, Field, Number

_FRAMES = 64  # transformed at a time: they fit in the cache
_BAND_HZ = 1700.0  # corner for faint highs: +3 dB at 600 Hz, +6 dB at 1.2 kHz, as in a type B encoder
_BOOST_DB = 10.0
_THRESHOLD_DB = -40.0  # level of the highs, re that of the clip, above which the corner moves up
_RECOVERY_DB_S = 150.0
_TINY = 1e-20  # power, against division by zero

Gain = Callable[[np.ndarray], np.ndarray]
"""Power ``[frames, bins]`` of successive frames -> gain of each bin, of the same shape."""


@dataclass(frozen=True)
class NoiseReduction(Artifact):
    """Noise reduction that is too strong or mismatched. What ``amount`` 0 .. 1 means depends on the ``kind``:

    ``musical``: stationary noise (white, or with a first-order low-pass of pole ``tilt``) is added at -36 .. -8 dB re
    the clip; then ``oversubtraction`` times its spectrum is subtracted from the power spectrum of frames of about
    23 ms, down to ``floor_db`` of the noise (Berouti, Schwartz and Makhoul, Enhancement of speech corrupted by acoustic
    noise, ICASSP 1979). Short tones remain, and faint sound is lost.
    ``undecoded``, ``overdecoded``: a sliding-band compander of type B (after Dolby, An audio noise reduction system,
    J. AES 1967): encoded but not decoded, which boosts faint highs by 2 .. 10 dB, or decoded without encoding, which
    attenuates them.
    ``mistracked``: encoded, and decoded at a level that is 3 .. 14 dB too low: highs of medium level are attenuated,
    by a gain that varies with their level.
    ``gate``: a noise gate with a threshold of -45 .. -12 dB re the clip, which attenuates at least 2 .. 25 % of the
    audible time to ``floor_db``, after a hold of ``hold_ms``; see :func:`.noise_gate.gate`.

    The noise is the same in all channels. A gate touches what it attenuates, the other kinds the whole clip.
    """

    name: ClassVar[str] = "noise_reduction"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA NR mismatch", "noise reduction mismatch", "musical noise", "birdies", "Dolby mistracking", "gating",
    )  # fmt: skip
    scale: ClassVar[str] = (
        "noise subtracted at -36 .. -8 dB, type B shelf 2 .. 10 dB or level error 3 .. 14 dB, gate at -45 .. -12 dB"
    )
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "kind": Choice(("musical", "undecoded", "overdecoded", "mistracked", "gate")),
        "amount": Number(0, 1),
        "tilt": Number(0, 0.9),
        "oversubtraction": Number(1, 4),
        "floor_db": Number(-80, -20, "dB"),
        "hold_ms": Number(5, 80, "ms"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kinds = {"musical": 0.45, "undecoded": 0.12, "overdecoded": 0.08, "mistracked": 0.1, "gate": 0.25}
        return {
            "seed": draw_seed(rng),
            "kind": pick(rng, kinds),
            "amount": severity,
            "tilt": float(rng.uniform(0, 0.9)),
            "oversubtraction": float(rng.uniform(1, 3)),
            "floor_db": float(rng.uniform(-60, -30)),
            "hold_ms": float(rng.uniform(5, 50)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        amount, level = params["amount"], reference(waveform, sample_rate)
        if params["kind"] == "gate":
            threshold, least = level * db_to_gain(linear(amount, -45, -12)), geometric(amount, 0.02, 0.25)
            floor, hold_s, audible = db_to_gain(params["floor_db"]), 1e-3 * params["hold_ms"], level * db_to_gain(-45)
            return gate(waveform, sample_rate, threshold, least, floor, hold_s, audible)
        size = 1 << max(4, round(math.log2(0.025 * sample_rate)))
        if params["kind"] == "musical":
            noise, spectrum = _noise(waveform.shape[-1], size, params)
            strength = level * db_to_gain(linear(amount, -36, -8))
            source = waveform + np.float32(strength) * noise
            gain = _subtraction(strength**2 * spectrum, params)
            return np.stack([_filtered(row, size, gain) for row in source]), whole(waveform)
        rows = [_filtered(row, size, _SlidingBand(size, sample_rate, level, params)) for row in waveform]
        return np.stack(rows), whole(waveform)


def _noise(samples: int, size: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Noise of unit RMS, float32 ``[T]``, and its mean power ``[bins]`` in a frame of ``size`` samples."""
    rng, tilt = seeding.generator(params["seed"], "noise_reduction"), params["tilt"]
    scale = math.sqrt(1 - tilt**2)
    b, a = np.array([scale], dtype=np.float32), np.array([1, -tilt], dtype=np.float32)
    noise = scipy.signal.lfilter(b, a, rng.standard_normal(samples, dtype=np.float32))
    angle = np.arange(size // 2 + 1) * (2 * np.pi / size)
    return noise, (scale**2 / np.abs(1 - tilt * np.exp(-1j * angle)) ** 2 * np.square(_window(size)).sum())


def _subtraction(noise: np.ndarray, params: Params) -> Gain:
    """The gain that subtracts the power of ``noise`` ``[bins]``, down to a floor; at most 1."""
    subtracted = (params["oversubtraction"] * noise).astype(np.float32)
    floor = (db_to_gain(params["floor_db"]) ** 2 * noise).astype(np.float32)

    def gain(power: np.ndarray) -> np.ndarray:
        ratio = np.maximum(power - subtracted, floor)
        ratio /= np.maximum(power, _TINY)
        return np.sqrt(np.minimum(ratio, 1.0, out=ratio), out=ratio)

    return gain


class _SlidingBand:
    """The gain of a mismatched type B compander, a :data:`Gain` with memory from call to call.

    The encoder boosts highs by up to 10 dB with a shelf. Its corner is 1.7 kHz, and moves up in proportion to the level
    of the highs once they exceed the threshold: at once when they rise, at 150 dB per s when they fall.
    """

    def __init__(self, size: int, sample_rate: int, level: float, params: Params) -> None:
        amount, self._kind = params["amount"], params["kind"]
        self._boost_db = _BOOST_DB if self._kind == "mistracked" else linear(amount, 2, _BOOST_DB)
        self._error_db = linear(amount, 3, 14)
        self._square = np.square(np.fft.rfftfreq(size, 1 / sample_rate) / _BAND_HZ).astype(np.float32)
        # Of the power that is high-passed; twice, for negative frequencies.
        share = (2 * self._square**2 / (1 + self._square) ** 2).astype(np.float32)
        self._weight = share / np.float32(
            size * np.square(_window(size)).sum() * (db_to_gain(_THRESHOLD_DB) * level) ** 2
        )
        self._fall_db = _RECOVERY_DB_S * size / 2 / sample_rate
        self._level_db = -np.inf

    def __call__(self, power: np.ndarray) -> np.ndarray:
        highs_db = 10 * np.log10(power @ self._weight + _TINY)
        fall = self._fall_db * np.arange(1, len(power) + 1)
        highs_db = np.maximum(np.maximum.accumulate(highs_db + fall), self._level_db) - fall
        self._level_db = float(highs_db[-1])
        encoded = self._boost(highs_db)
        if self._kind == "undecoded":
            return np.sqrt(encoded)
        if self._kind == "overdecoded":
            return 1 / np.sqrt(encoded)
        return np.sqrt(encoded / self._boost(highs_db - self._error_db))

    def _boost(self, highs_db: np.ndarray) -> np.ndarray:
        """Power gain of the encoder ``[frames, bins]`` for levels of the highs in dB re the threshold ``[frames]``."""
        shift = (10 ** (-np.maximum(highs_db, 0) / 10)).astype(np.float32)
        ratio = shift[:, None] * self._square
        return (1 + np.float32(db_to_gain(self._boost_db) ** 2) * ratio) / (1 + ratio)


def _filtered(row: np.ndarray, size: int, gain: Gain) -> np.ndarray:
    """Applies a spectral gain to ``[T]``, in half-overlapping frames of ``size``; a gain of 1 returns the input."""
    hop, samples = size // 2, len(row)
    frames = -(-samples // hop) + 1
    padded = np.zeros((frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + samples] = row
    out, window = np.zeros_like(padded).reshape(-1, hop), _window(size)
    views = sliding_window_view(padded, size)[::hop]
    for start in range(0, frames, _FRAMES):
        spectrum = fft.rfft(views[start : start + _FRAMES] * window, axis=1)
        spectrum *= gain(np.square(spectrum.real) + np.square(spectrum.imag))
        part = fft.irfft(spectrum, size, axis=1)
        part *= window
        stop = start + len(part)
        out[start:stop] += part[:, :hop]
        out[start + 1 : stop + 1] += part[:, hop:]
    return out.reshape(-1)[hop : hop + samples]


def _window(size: int) -> np.ndarray:
    """The sine window ``[size]``: its squares, half a frame apart, sum to 1."""
    return np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
