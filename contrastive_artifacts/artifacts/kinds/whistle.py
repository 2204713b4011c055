"""Additive: whistles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, log_uniform, pick, whole
from ..dsp.levels import reference
from ..dsp.signals import drifting_phase, sine
from ..fields import Field, Number

_BLOCK = 1 << 15  # samples computed at a time: they stay in the cache from step to step
_HIGHEST = 0.45  # of the sample rate
_FIXED_HZ = {"pal": 15625.0, "ntsc": 15734.27, "pilot": 19000.0}


@dataclass(frozen=True)
class Whistle(Artifact):
    """A tone of constant or varying frequency, equal in all channels.

    Television line frequencies (15625 Hz PAL, 15734 Hz NTSC), the stereo pilot (19 kHz), and oscillation or heterodyne
    whistles of 1 to 12 kHz. The frequency varies by ``wander`` (relative) at ``wander_hz``, as that of a heterodyne. A
    tone above 0.45 x the sample rate is lowered by whole octaves: 15625 Hz becomes 1953 Hz at 8 kHz.
    """

    name: ClassVar[str] = "whistle"
    family: ClassVar[str] = "additive"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Pilot Tone", "line whistle", "heterodyne", "oscillation", "tone interference",
    )  # fmt: skip
    scale: ClassVar[str] = "RMS of the tone re the active level, -50 .. -15 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "level_db": Number(-50, -15, "dB"),
        "hertz": Number(500, 20000, "Hz"),
        "wander": Number(0, 0.01),
        "wander_hz": Number(0.02, 0.5, "Hz"),
        "wander_phase": Number(0, 1, "cycles"),
        "phase": Number(0, 1, "cycles"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"pal": 0.2, "ntsc": 0.2, "pilot": 0.15, "oscillation": 0.25, "heterodyne": 0.2})
        free, wander = log_uniform(rng, 1000, 12000), log_uniform(rng, 0.0003, 0.01)
        return {
            "level_db": linear(severity, -50, -15),
            "hertz": _FIXED_HZ.get(kind, free),
            "wander": wander if kind == "heterodyne" else 0.0,
            "wander_hz": log_uniform(rng, 0.03, 0.5),
            "wander_phase": float(rng.random()),
            "phase": float(rng.random()),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        level = np.float32(np.sqrt(2) * reference(waveform, sample_rate) * db_to_gain(params["level_db"]))
        hertz, samples = lowered_by_octaves(params["hertz"], sample_rate), waveform.shape[-1]
        if not params["wander"]:
            tone = sine(samples, hertz / sample_rate, params["phase"])
            tone *= level
            return waveform + tone, whole(waveform)
        out = np.empty_like(waveform)
        for start in range(0, samples, _BLOCK):
            stop = min(start + _BLOCK, samples)
            swing = params["wander"], params["wander_hz"], params["wander_phase"]
            angle = drifting_phase(start, stop, sample_rate, hertz, *swing)
            angle += params["phase"]
            angle *= 2 * np.pi
            tone = np.sin(angle.astype(np.float32))
            tone *= level
            np.add(waveform[:, start:stop], tone, out=out[:, start:stop])
        return out, whole(waveform)


def lowered_by_octaves(hertz: float, sample_rate: int) -> float:
    """The frequency in Hz, lowered by as many octaves as it takes to be below 0.45 x the sample rate."""
    while hertz >= _HIGHEST * sample_rate:
        hertz /= 2
    return hertz
