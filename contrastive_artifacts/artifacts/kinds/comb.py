"""Spectral: comb filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, log_uniform, whole
from ..dsp.resample_at import delayed
from ..fields import Field, Number


@dataclass(frozen=True)
class Comb(Artifact):
    """Comb filter: the sound plus its copy ``delay_ms`` later at ``copy_db``, (1 + g z^-d) / (1 + g).

    As from two microphones at different distances, or the mono sum of tracks that are out of sync. Notches are at odd
    multiples of 1 / (2 delay), peaks at 0 dB; the same in all channels. The delay is lengthened where the first notch
    would be above 0.4 x the sample rate.
    """

    name: ClassVar[str] = "comb"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Audio Phase Error",
        "comb filter",
        "phasing",
        "phase error",
        "flanging",
    )
    scale: ClassVar[str] = "level of the copy, -18 .. -.5 dB (notches 2 .. 31 dB deep), .05-1 ms later"
    fields: ClassVar[Mapping[str, Field]] = {
        "delay_ms": Number(0.05, 1, "ms"),
        "copy_db": Number(-18, -0.5, "dB"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"delay_ms": log_uniform(rng, 0.05, 1), "copy_db": linear(severity, -18, -0.5)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        gain = db_to_gain(params["copy_db"])
        delay = max(params["delay_ms"] * 1e-3 * sample_rate, 1 / 0.8)
        out = delayed(waveform, delay)
        out *= gain
        out += waveform
        out /= 1 + gain
        return out, whole(waveform)
