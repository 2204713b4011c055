"""Linear, spectral: what noise reduction leaves behind: musical noise, a wrong decoder, a gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft, signal

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, pick, whole
from ..dsp.levels import reference
from ..dsp.noise_gate import gate
from ..fields import SEED, Choice, Field, Number

_FRAMES = 64  # transformed at a time: they stay in the cache
_BAND_HZ = 1700.0  # corner of the resting band: +3 dB at 600 Hz, +6 dB at 1.2 kHz, as the type B encoder has it
_BOOST_DB = 10.0
_THRESHOLD_DB = -40.0  # of the highs, re the level of the clip, above which the band slides up
_RECOVERY_DB_S = 150.0
_GRAINS = 1e-20

Gain = Callable[[np.ndarray], np.ndarray]
"""Power ``[frames, bins]`` of successive frames -> what to multiply their spectra with."""


@dataclass(frozen=True)
class NoiseReduction(Artifact):
    """Noise reduction that went wrong. What ``amount`` 0 .. 1 means depends on the ``kind``:

    ``musical``: stationary noise (white, or falling by ``tilt``) is added at -36 .. -8 dB re the clip and subtracted
    again in the power spectrum of frames of some 23 ms, ``oversubtraction`` times its true spectrum, down to
    ``floor_db`` of it (Berouti, Schwartz and Makhoul, Enhancement of speech corrupted by acoustic noise, ICASSP 1979).
    What survives are short tones, and faint sound is gone.
    ``undecoded``, ``overdecoded``: a sliding-band compander of type B (its ancestor: Dolby, An audio noise reduction
    system, J. AES 1967): encoded and not decoded, which lifts faint highs by 2 .. 10 dB, or decoded without having
    been encoded, which takes them away.
    ``mistracked``: encoded, and decoded at a level 3 .. 14 dB too low: highs of middle level are lost, and they
    breathe.
    ``gate``: closes below -45 .. -12 dB re the clip, and for at least 2 .. 25 % of what is heard, to ``floor_db``,
    after ``hold_ms``; see :func:`.noise_gate.gate`.

    The noise is the same in all channels. A gate touches what it attenuates, everything else the whole clip.
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
            floor, hold_s, heard = db_to_gain(params["floor_db"]), 1e-3 * params["hold_ms"], level * db_to_gain(-45)
            return gate(waveform, sample_rate, threshold, least, floor, hold_s, heard)
        size = 1 << max(4, round(math.log2(0.025 * sample_rate)))
        if params["kind"] == "musical":
            noise, spectrum = _noise(waveform.shape[-1], size, params)
            strength = level * db_to_gain(linear(amount, -36, -8))
            source = waveform + np.float32(strength) * noise
            gain = _subtraction(strength**2 * spectrum, params)
            return np.stack([_through(row, size, gain) for row in source]), whole(waveform)
        rows = [_through(row, size, _SlidingBand(size, sample_rate, level, params)) for row in waveform]
        return np.stack(rows), whole(waveform)


def _noise(samples: int, size: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Noise of unit RMS, float32 ``[T]``, and its mean power in the bins of a frame."""
    rng, tilt = seeding.generator(params["seed"], "noise_reduction"), params["tilt"]
    scale = math.sqrt(1 - tilt**2)
    b, a = np.array([scale], dtype=np.float32), np.array([1, -tilt], dtype=np.float32)
    noise = signal.lfilter(b, a, rng.standard_normal(samples, dtype=np.float32))
    angle = np.arange(size // 2 + 1) * (2 * np.pi / size)
    return noise, (scale**2 / np.abs(1 - tilt * np.exp(-1j * angle)) ** 2 * np.square(_window(size)).sum())


def _subtraction(noise: np.ndarray, params: Params) -> Gain:
    """Takes the power ``noise`` ``[bins]`` away, down to a floor; where even that is not there, nothing."""
    taken = (params["oversubtraction"] * noise).astype(np.float32)
    floor = (db_to_gain(params["floor_db"]) ** 2 * noise).astype(np.float32)

    def gain(power: np.ndarray) -> np.ndarray:
        left = np.maximum(power - taken, floor)
        left /= np.maximum(power, _GRAINS)
        return np.sqrt(np.minimum(left, 1.0, out=left), out=left)

    return gain


class _SlidingBand:
    """The gain of a type B compander in error, from frame to frame.

    The encoder adds what a first-order high-pass lets through, up to 10 dB; its corner rests at 1.7 kHz and slides up
    in proportion to the highs once they exceed their threshold. It follows louder highs at once.
    """

    def __init__(self, size: int, sample_rate: int, level: float, params: Params) -> None:
        amount, self._kind = params["amount"], params["kind"]
        self._boost_db = _BOOST_DB if self._kind == "mistracked" else linear(amount, 2, _BOOST_DB)
        self._error_db = linear(amount, 3, 14)
        self._square = np.square(np.fft.rfftfreq(size, 1 / sample_rate) / _BAND_HZ).astype(np.float32)
        share = (2 * self._square**2 / (1 + self._square) ** 2).astype(np.float32)  # the highs, of both sides' power
        self._weight = share / np.float32(
            size * np.square(_window(size)).sum() * (db_to_gain(_THRESHOLD_DB) * level) ** 2
        )
        self._fall_db = _RECOVERY_DB_S * size / 2 / sample_rate
        self._held = -np.inf

    def __call__(self, power: np.ndarray) -> np.ndarray:
        highs_db = 10 * np.log10(power @ self._weight + _GRAINS)
        fall = self._fall_db * np.arange(1, len(power) + 1)
        highs_db = np.maximum(np.maximum.accumulate(highs_db + fall), self._held) - fall
        self._held = float(highs_db[-1])
        encoded = self._boost(highs_db)
        if self._kind == "undecoded":
            return np.sqrt(encoded)
        if self._kind == "overdecoded":
            return 1 / np.sqrt(encoded)
        return np.sqrt(encoded / self._boost(highs_db - self._error_db))

    def _boost(self, highs_db: np.ndarray) -> np.ndarray:
        """Power gain of the encoder, ``[frames, bins]``, for highs of so many dB over the threshold."""
        slid = (10 ** (-np.maximum(highs_db, 0) / 10)).astype(np.float32)
        ratio = slid[:, None] * self._square
        return (1 + np.float32(db_to_gain(self._boost_db) ** 2) * ratio) / (1 + ratio)


def _through(row: np.ndarray, size: int, gain: Gain) -> np.ndarray:
    """``[T]`` through a gain in frames of ``size``, half overlapping, that adds up to the input for a gain of 1."""
    hop, samples = size // 2, len(row)
    frames = -(-samples // hop) + 1
    padded = np.zeros((frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + samples] = row
    out, window = np.zeros_like(padded), _window(size)
    views = sliding_window_view(padded, size)[::hop]
    for start in range(0, frames, _FRAMES):
        spectrum = fft.rfft(views[start : start + _FRAMES] * window, axis=1)
        spectrum *= gain(np.square(spectrum.real) + np.square(spectrum.imag))
        part = fft.irfft(spectrum, size, axis=1)
        part *= window
        stop = start + len(part)
        out[start * hop : stop * hop] += part[:, :hop].ravel()
        out[(start + 1) * hop : (stop + 1) * hop] += part[:, hop:].ravel()
    return out[hop : hop + samples]


def _window(size: int) -> np.ndarray:
    """The half sine, whose square adds up to 1 with itself half a frame later."""
    return np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
