"""Time base: speed error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base import Artifact, Params, geometric, log_uniform, pick, whole
from ..dsp.resample_at import TAPS, read_at
from ..fields import Field, Number

_BLOCK = 1 << 16


@dataclass(frozen=True)
class SpeedError(Artifact):
    """A record or tape that plays too fast or too slow, in pitch and tempo, constantly or with a slow drift.

    The speed is 1 + ``speed`` + ``drift`` cos(2 pi ``drift_hz`` t + ``drift_phase``), with t = 0 in the middle of the
    clip; by the range of the phase, at least half of the drift is reached there. The middle of the clip is not moved,
    and the length is preserved: slow playback loses sound at the ends, fast playback extends them by reflection.
    Fast playback is low-passed against aliasing.
    """

    name: ClassVar[str] = "speed_error"
    family: ClassVar[str] = "timebase"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Incorrect Speed", "incorrect speed", "wrong speed", "pitch error", "speed drift",
    )  # fmt: skip
    scale: ClassVar[str] = "speed error, 2 .. 12 %, constant and/or drifting at .05-.5 Hz"
    fields: ClassVar[Mapping[str, Field]] = {
        "speed": Number(-0.12, 0.12),
        "drift": Number(-0.12, 0.12),
        "drift_hz": Number(0.05, 0.5, "Hz"),
        "drift_phase": Number(-np.pi / 3, np.pi / 3, "rad"),
    }
    displaces: ClassVar[bool] = True

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"constant": 0.6, "drift": 0.2, "both": 0.2})
        sign = -1.0 if rng.random() < 0.5 else 1.0
        ratio = float(rng.uniform(-0.3, 0.3))  # the mean error of a drifting deck is rarely much less than its drift
        size = sign * geometric(severity, 0.02, 0.12)
        return {
            "speed": 0.0 if kind == "drift" else size,
            "drift": {"constant": 0.0, "drift": size, "both": ratio * size}[kind],
            "drift_hz": log_uniform(rng, 0.05, 0.5),
            "drift_phase": float(rng.uniform(-np.pi / 3, np.pi / 3)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        if samples == 1:
            return waveform.copy(), whole(waveform)
        ends = _position(np.array([0.0, samples - 1.0]), samples, sample_rate, params)
        # Fast playback reads beyond the ends of the clip, and the kernel half its taps further.
        lack = int(np.ceil(max(-ends[0], ends[1] - (samples - 1), 0.0))) + TAPS
        mirrored = np.pad(waveform, ((0, 0), (lack, lack)), mode="reflect")
        fastest = 1.0 + params["speed"] + abs(params["drift"])
        out = np.empty_like(waveform)
        for start in range(0, samples, _BLOCK):
            stop = min(start + _BLOCK, samples)
            position = _position(np.arange(start, stop, dtype=np.float64), samples, sample_rate, params)
            position += lack
            out[:, start:stop] = read_at(mirrored, position, cutoff=min(1.0, 1.0 / fastest))
        return out, whole(waveform)


def _position(index: np.ndarray, samples: int, sample_rate: int, params: Params) -> np.ndarray:
    """The reading position, in samples, at the samples ``index``: the integral of the speed."""
    middle = (samples - 1) / 2
    position = middle + (1.0 + params["speed"]) * (index - middle)
    if params["drift"]:
        turn, phase = 2 * np.pi * params["drift_hz"] / sample_rate, params["drift_phase"]
        position += params["drift"] / turn * (np.sin(turn * (index - middle) + phase) - np.sin(phase))
    return position
