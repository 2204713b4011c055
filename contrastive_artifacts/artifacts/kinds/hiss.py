"""Additive: hiss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, linear, log_uniform, pick, whole
from ..dsp.levels import reference
from ..dsp.signals import rms, shaped_noise, sine
from ..fields import SEED, Field, Number


@dataclass(frozen=True)
class Hiss(Artifact):
    """Tape, preamplifier and transmission noise: coloured Gaussian noise, independent in each channel.

    ``slope_db`` is the slope of the spectrum in dB per octave (0 white, -3 pink, +3 blue); ``lift_db`` a high shelf
    above ``lift_hz``, as from tape equalisation; ``swell`` the depth of a slow modulation of the level at ``swell_hz``.
    """

    name: ClassVar[str] = "hiss"
    family: ClassVar[str] = "additive"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Analog Noise", "tape hiss", "background noise", "white noise", "noise")
    scale: ClassVar[str] = "signal-to-noise ratio re the active level, 40 .. 5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "snr_db": Number(5, 40, "dB"),
        "slope_db": Number(-6, 6, "dB per octave"),
        "lift_db": Number(0, 24, "dB"),
        "lift_hz": Number(500, 8000, "Hz"),
        "swell": Number(0, 0.5),
        "swell_hz": Number(0.05, 4, "Hz"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        colour = pick(rng, {"white": 0.4, "pink": 0.2, "tape": 0.2, "blue": 0.1, "any": 0.1})
        slope = {"white": 0.0, "pink": -3.0, "tape": 0.0, "blue": 3.0, "any": float(rng.uniform(-4.5, 4.5))}[colour]
        lift, lift_hz = float(rng.uniform(6, 18)), log_uniform(rng, 800, 6000)
        swells, swell, swell_hz = rng.random() < 0.3, float(rng.uniform(0.05, 0.4)), log_uniform(rng, 0.1, 2)
        return {
            "seed": draw_seed(rng),
            "snr_db": linear(severity, 40, 5),
            "slope_db": slope,
            "lift_db": lift if colour == "tape" else 0.0,
            "lift_hz": lift_hz,
            "swell": swell if swells else 0.0,
            "swell_hz": swell_hz,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        rng = seeding.generator(params["seed"], "hiss")
        slope, lift, knee = params["slope_db"], db_to_gain(params["lift_db"]), params["lift_hz"]

        def response(frequencies: np.ndarray) -> np.ndarray:
            tilt = (np.maximum(frequencies, 20.0) / 1000.0) ** (slope / (20.0 * math.log10(2.0)))
            shelf = np.sqrt((1.0 + (lift * frequencies / knee) ** 2) / (1.0 + (frequencies / knee) ** 2))
            return tilt * shelf

        flat = slope == 0 and params["lift_db"] == 0
        noise = shaped_noise((len(waveform), waveform.shape[-1]), sample_rate, rng, None if flat else response)
        if params["swell"]:
            gain = sine(waveform.shape[-1], params["swell_hz"] / sample_rate, float(rng.random()))
            gain *= np.float32(params["swell"])
            gain += 1.0
            noise *= gain
        level = reference(waveform, sample_rate) * db_to_gain(-params["snr_db"])
        noise *= np.float32(level / max(rms(noise), 1e-30))
        noise += waveform
        return noise, whole(waveform)
