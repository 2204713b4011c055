"""Nonlinear: crossover distortion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base import Artifact, Params, geometric, whole
from ..dsp.levels import reference
from ..dsp.oversampling import change, sufficient
from ..fields import Field, Number


@dataclass(frozen=True)
class Crossover(Artifact):
    """A class-B amplifier with too little bias: a dead zone around zero, in which neither transistor conducts.

    The half width of the zone is ``width`` times the active level; samples beyond it are moved towards zero by as much,
    so that quiet passages are hit most and vanish within the zone. ``softness`` rounds its corners (0: sharp; 1: wave -
    ``width`` * tanh(wave / ``width``)). It gives odd harmonics only. Rendered at twice the sample rate (four times
    below 40 kHz) against aliasing. Digital silence is not changed.
    """

    name: ClassVar[str] = "crossover"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = ("crossover distortion", "class-B distortion", "dead zone", "underbias")
    scale: ClassVar[str] = "half width of the dead zone re the active level, .02 .. .7"
    fields: ClassVar[Mapping[str, Field]] = {"width": Number(0.02, 0.7), "softness": Number(0, 1)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        soft, softness = rng.random() < 0.5, float(rng.uniform(0.1, 1))
        return {"width": geometric(severity, 0.02, 0.7), "softness": softness if soft else 0.0}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        softness = np.float32(params["softness"])
        width = np.float32(params["width"] * reference(waveform, sample_rate))

        def lost(wave: np.ndarray) -> np.ndarray:
            if not softness:
                return -np.clip(wave, -width, width)
            zone = wave / width
            rounded = np.tanh(zone)
            rounded *= softness
            np.clip(zone, -1, 1, out=zone)
            zone *= 1 - softness
            zone += rounded
            zone *= -width
            return zone

        out = change(waveform, sufficient(sample_rate), lost)
        out += waveform
        return out, whole(waveform)
