"""Spectral: echo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, log_uniform, whole
from ..dsp.fades import fade_ends
from ..fields import Field, Number, Whole


@dataclass(frozen=True)
class Echo(Artifact):
    """Discrete repetitions: the echo of a hall, feedback in a transmission line, a tape delay left on.

    The sound is repeated ``repeats`` times, every ``delay_ms``, at ``level_db`` first and each time ``decay_db``
    weaker. All repetitions pass one zero-phase low-pass (-3 dB at ``cutoff_hz``; 0 is none). The delay is at most half
    the clip.
    """

    name: ClassVar[str] = "echo"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("slapback", "repetition", "delayed copy", "transmission echo")
    scale: ClassVar[str] = "level of the first repetition, -25 .. -6 dB, at 50-500 ms"
    fields: ClassVar[Mapping[str, Field]] = {
        "delay_ms": Number(50, 500, "ms"),
        "level_db": Number(-25, -6, "dB"),
        "repeats": Whole(1, 5),
        "decay_db": Number(3, 12, "dB"),
        "cutoff_hz": Number(0, 12000, "Hz; 0 is none"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        dull, cutoff = rng.random() < 0.6, log_uniform(rng, 2000, 12000)
        single, repeats = rng.random() < 0.5, int(rng.integers(2, 6))
        return {
            "delay_ms": log_uniform(rng, 50, 500),
            "level_db": linear(severity, -25, -6),
            "repeats": 1 if single else repeats,
            "decay_db": float(rng.uniform(3, 12)),
            "cutoff_hz": cutoff if dull else 0.0,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        lag = max(1, min(round(params["delay_ms"] * 1e-3 * sample_rate), samples // 2))
        if lag >= samples:
            return waveform.copy(), whole(waveform)
        out, copy = waveform.copy(), fade_ends(waveform, sample_rate, end=False)
        if params["cutoff_hz"]:
            copy = _lowpassed(copy, sample_rate, params["cutoff_hz"])
        for turn in range(1, min(params["repeats"], (samples - 1) // lag) + 1):
            gain = np.float32(db_to_gain(params["level_db"] - (turn - 1) * params["decay_db"]))
            out[:, turn * lag :] += gain * copy[:, : samples - turn * lag]
        return out, np.array([[lag, samples]], dtype=np.int64)


def _lowpassed(waveform: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    """``[C, T]`` through a first-order low-pass forwards and backwards, together -3 dB at ``cutoff_hz``."""
    corner = min(cutoff_hz / 0.6436, 0.45 * sample_rate)
    b, a = (part.astype(np.float32) for part in scipy.signal.butter(1, corner, fs=sample_rate))
    once = scipy.signal.lfilter(b, a, waveform, axis=1)
    return scipy.signal.lfilter(b, a, once[:, ::-1], axis=1)[:, ::-1]
