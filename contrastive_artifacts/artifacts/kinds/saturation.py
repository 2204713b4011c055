"""Nonlinear: saturation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, whole
from ..dsp.control import block_means, interpolate
from ..dsp.levels import reference
from ..dsp.oversampling import change, sufficient
from ..fields import Field, Number

_BLOCK = 1 << 18
_UNIT_DB = 15.0  # drive at which the active level is 1 at the input of tanh: 3 dB of drive are then 1 % THD of a sine
_HOP_S = 0.01


@dataclass(frozen=True)
class Saturation(Artifact):
    """Analogue overdrive of tape, transformers and tubes: a tanh curve with level compensation.

    At the input of tanh the active level is ``drive_db`` - 15 dB, so that a sine at this level has about 1 % of
    harmonics at 3 dB and 30 % at 24 dB. ``bias`` moves the operating point on the curve: 0 gives odd harmonics only
    (as tape), other values even ones, too (as tubes); the offset that it adds, below 10 Hz, is removed. The RMS of the
    clip is preserved. Rendered at twice the sample rate (four times below 40 kHz).
    """

    name: ClassVar[str] = "saturation"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Analog Distortion",
        "tape saturation",
        "tube distortion",
        "harmonic distortion",
    )
    scale: ClassVar[str] = "drive re the active level, 3 .. 24 dB (1 .. 30 % THD of a sine)"
    fields: ClassVar[Mapping[str, Field]] = {"drive_db": Number(3, 24, "dB"), "bias": Number(-0.5, 0.5)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        biased, bias, sign = rng.random() < 0.5, float(rng.uniform(0.05, 0.25)), 1 if rng.random() < 0.5 else -1
        return {"drive_db": linear(severity, 3, 24), "bias": sign * bias if biased else 0.0}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        bias = params["bias"]
        gain = db_to_gain(params["drive_db"] - _UNIT_DB) / reference(waveform, sample_rate)
        slope = 1.0 - math.tanh(bias) ** 2
        unit = np.float32(1.0 / (gain * slope))  # the curve has slope 1 at zero

        def bend(wave: np.ndarray) -> np.ndarray:
            bent = wave * np.float32(gain)
            if bias:
                bent += np.float32(bias)
            np.tanh(bent, out=bent)
            if bias:
                bent -= np.float32(math.tanh(bias))
            bent *= unit
            bent -= wave
            return bent

        out = change(waveform, sufficient(sample_rate), bend)
        if bias:
            _remove_offset(out, sample_rate)
        out += waveform
        before, after = _energy(waveform), _energy(out)
        if after > 0:
            out *= np.float32(math.sqrt(before / after))
        return out, whole(waveform)


def _remove_offset(waveform: np.ndarray, sample_rate: int) -> None:
    """Subtracts the moving mean (Hann window of 0.12 s) from ``[C, T]``, in place."""
    hop = max(1, round(_HOP_S * sample_rate))
    window = np.hanning(13)[1:-1] / np.hanning(13).sum()
    for channel in waveform:
        means = np.pad(block_means(channel, hop), 6, mode="edge")
        nodes = np.convolve(0.5 * (means[1:] + means[:-1]), window, mode="valid")
        channel -= interpolate(nodes, hop, len(channel))


def _energy(waveform: np.ndarray) -> float:
    """Sum of squares."""
    starts = range(0, waveform.shape[-1], _BLOCK)
    return sum(float(np.square(waveform[:, s : s + _BLOCK]).sum(dtype=np.float64)) for s in starts)
