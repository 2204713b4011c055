"""Additive: hum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import fft

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, log_uniform, pick, whole
from ..dsp.levels import reference
from ..dsp.signals import drifting_phase
from ..fields import Choice, Field, Number, Rows

_BLOCK = 1 << 15  # samples of hum computed at a time: they stay in the cache from step to step
_TABLE = 1 << 14  # points per period; the error of linear interpolation is less than -100 dB


@dataclass(frozen=True)
class Hum(Artifact):
    """Mains hum and rectifier buzz: a harmonic series on 50, 60, 100 or 120 Hz, equal in all channels.

    ``harmonics`` are rows [number, level in dB re the strongest, phase in cycles]. The fundamental deviates by
    ``offset`` and varies by ``drift`` (both relative) at ``drift_hz``. Harmonics above 0.45 x the sample rate are left
    out.
    """

    name: ClassVar[str] = "hum"
    family: ClassVar[str] = "additive"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Hum and Buzz", "AC beat", "mains hum", "ground loop", "buzz")
    scale: ClassVar[str] = "RMS of the hum re the active level, -40 .. 0 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "level_db": Number(-40, 0, "dB"),
        "base_hz": Choice((50, 60, 100, 120)),
        "offset": Number(-0.002, 0.002),
        "drift": Number(0, 0.002),
        "drift_hz": Number(0.02, 1, "Hz"),
        "drift_phase": Number(0, 1, "cycles"),
        "harmonics": Rows({"number": Number(1, 20), "level_db": Number(-90, 0), "phase": Number(0, 1)}, most=20),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"pure": 0.15, "few": 0.25, "rich": 0.4, "buzz": 0.2})
        count = {
            "pure": 1,
            "few": int(rng.integers(2, 5)),
            "rich": int(rng.integers(4, 21)),
            "buzz": int(rng.integers(6, 21)),
        }[kind]
        base = (100, 120) if kind == "buzz" else (50, 60)
        slope = float(rng.uniform(-5, 0) if kind == "buzz" else rng.uniform(-12, 0))  # dB per octave
        parity = pick(rng, {"all": 0.5, "odd": 0.3, "even": 0.2})
        number = np.arange(1, count + 1)
        weak = (number > 1) & (number % 2 == (0 if parity == "odd" else 1)) if parity != "all" else number < 0
        level = slope * np.log2(number) - weak * rng.uniform(6, 25)
        level = level + rng.uniform(-4, 4, count) * (rng.random() < 0.7)
        level = np.maximum(level - level.max(), -90.0)
        steady = rng.random() < 0.4
        return {
            "level_db": linear(severity, -40, 0),
            "base_hz": int(base[int(rng.integers(2))]),
            "offset": float(rng.uniform(-0.001, 0.001)),
            "drift": 0.0 if steady else float(rng.uniform(0, 0.001)),
            "drift_hz": log_uniform(rng, 0.03, 0.5),
            "drift_phase": float(rng.random()),
            "harmonics": [[int(n), float(db), float(rng.random())] for n, db in zip(number, level, strict=True)],
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        level = reference(waveform, sample_rate) * db_to_gain(params["level_db"])
        period = (self._period(sample_rate, params) * level).astype(np.float32)
        rise = np.diff(period)
        hertz = params["base_hz"] * (1.0 + params["offset"])
        # The field is relative to the nominal frequency.
        drift = params["drift"] / (1.0 + params["offset"])
        out = np.empty_like(waveform)
        samples = waveform.shape[-1]
        for start in range(0, samples, _BLOCK):
            stop = min(start + _BLOCK, samples)
            point = drifting_phase(start, stop, sample_rate, hertz, drift, params["drift_hz"], params["drift_phase"])
            point *= _TABLE
            index = point.astype(np.intp)
            point -= index
            index &= _TABLE - 1
            hum = np.take(rise, index)
            hum *= point.astype(np.float32)
            hum += np.take(period, index)
            np.add(waveform[:, start:stop], hum, out=out[:, start:stop])
        return out, whole(waveform)

    @staticmethod
    def _period(sample_rate: int, params: Params) -> np.ndarray:
        """One period of unit RMS: ``[_TABLE + 1]``, the first point repeated at the end."""
        spectrum = np.zeros(_TABLE // 2 + 1, dtype=np.complex128)
        for number, level_db, phase in params["harmonics"]:
            if number == 1 or number * params["base_hz"] < 0.45 * sample_rate:
                spectrum[round(number)] += db_to_gain(level_db) * np.exp(2j * np.pi * (phase - 0.25))
        wave = fft.irfft(spectrum)
        return np.append(wave, wave[0]) / np.sqrt(np.mean(wave**2))
