"""Spectral: reverberation of a statistical room model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, whole
from ..dsp.decay import DIRECT_S, decay, norm
from ..dsp.filters import butterworth, convolve
from ..fields import SEED, Field, Number


@dataclass(frozen=True)
class Reverb(Artifact):
    """A room: early reflections and a decaying noise tail; the direct sound is not changed, at sample 0.

    ``t60_s`` is the broadband decay time, and ``damping`` times that the decay time of highs; ``drr_db`` the
    direct-to-reverberant ratio of the impulse response; ``predelay_ms`` the delay of the first reflection; ``early_db``
    the energy of the early reflections re the reverberant energy. Tails are independent between channels, and truncated
    at the end of the clip. A tail of decaying Gaussian noise is the model of Polack (1988).
    """

    name: ClassVar[str] = "reverb"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("reverberation", "roomy", "distant microphone", "echoic", "late reflections")
    scale: ClassVar[str] = "T60 .3 .. 2.5 s with direct-to-reverberant ratio +10 .. -5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "t60_s": Number(0.3, 2.5, "s"),
        "drr_db": Number(-5, 10, "dB"),
        "damping": Number(0.3, 1),
        "predelay_ms": Number(2.6, 30, "ms"),
        "early_db": Number(-12, 0, "dB re the reverberant energy"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "t60_s": geometric(severity, 0.3, 2.5),
            "drr_db": linear(severity, 10, -5),
            "damping": float(rng.uniform(0.4, 1)),
            "predelay_ms": float(rng.uniform(3, 20)),
            "early_db": float(rng.uniform(-10, -3)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty_like(waveform)
        for index in range(len(waveform)):  # one at a time: the tails of eight channels take much memory
            channel = waveform[index : index + 1]
            out[index] = channel + convolve(channel, reverberation(sample_rate, params, index))
        return out, whole(waveform)


def reverberation(sample_rate: int, params: Params, channel: int = 0) -> np.ndarray:
    """The impulse response without its direct sound (which is 1 at sample 0): float32 ``[L]``."""
    rng = seeding.generator(params["seed"], "reverb", channel)
    length = max(2, int(1.1 * params["t60_s"] * sample_rate))
    first = max(1, round(params["predelay_ms"] * 1e-3 * sample_rate), int(np.ceil(DIRECT_S * sample_rate)))
    length = max(length, first + 2)
    noise = rng.standard_normal(length - first, dtype=np.float32)
    corner = min(4000.0, 0.4 * sample_rate)
    tail = _band(noise, corner, False, sample_rate)
    tail *= decay(len(noise), params["t60_s"], sample_rate)
    highs = _band(noise, corner, True, sample_rate)
    highs *= np.float32(0.35) * decay(len(noise), params["t60_s"] * params["damping"], sample_rate)
    tail += highs  # 0.35: air and walls attenuate highs from the first reflection on
    early = np.zeros_like(tail)
    arrival = first * np.exp(rng.uniform(0, 2.2, int(rng.integers(6, 16)))) - first
    arrival = np.append(0, arrival[arrival < len(tail)]).astype(np.int64)
    early[arrival] = rng.choice([-1.0, 1.0], len(arrival), p=[0.3, 0.7]) * first / (first + arrival)
    share = db_to_gain(params["early_db"])
    tail *= np.float32(np.sqrt(1 - min(0.99, share**2)) / norm(tail))
    tail += early * np.float32(share / norm(early))
    tail *= np.float32(db_to_gain(-params["drr_db"]) / norm(tail))
    return np.concatenate([np.zeros(first, dtype=np.float32), tail])


def _band(noise: np.ndarray, corner: float, highpass: bool, sample_rate: int) -> np.ndarray:
    """``noise`` below or above ``corner`` Hz."""
    return scipy.signal.sosfilt(butterworth(4, corner, sample_rate, highpass).astype(np.float32), noise)
