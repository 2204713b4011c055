"""Nonlinear: saturation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, pick, whole
from ..dsp.control import block_means, interpolate
from ..dsp.levels import reference
from ..dsp.oversampling import change, sufficient
from ..fields import Choice, Field, Number

_BLOCK = 1 << 18
_UNIT_DB = 15.0  # drive at which the active level is 1 at the input of tanh: 3 dB of drive are then 1 % THD of a sine
_KNEE = 1.5  # input from which the cubic curve is flat
_HOP_S = 0.01


class _Curve(NamedTuple):
    """An odd curve with a slope of 1 at zero and limits of -1 and 1, and its slope."""

    at: Callable[[np.ndarray], np.ndarray]  # may overwrite its input
    slope: Callable[[float], float]


def _cubic(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, -_KNEE, _KNEE)
    return x * (1 - x * x * np.float32(4 / 27))


_CURVES = {
    "tanh": _Curve(np.tanh, lambda x: 1 - math.tanh(x) ** 2),
    "arctan": _Curve(
        lambda x: np.arctan(x * np.float32(math.pi / 2)) * np.float32(2 / math.pi),
        lambda x: 1 / (1 + (math.pi / 2 * x) ** 2),
    ),
    "cubic": _Curve(_cubic, lambda x: 1 - 4 / 9 * x * x if abs(x) < _KNEE else 0.0),
}


@dataclass(frozen=True)
class Saturation(Artifact):
    """Overdrive of tape, transformers, tubes and of software that imitates them, with level compensation.

    The ``curve`` is tanh, arctan, or the cubic x - 4 x^3 / 27, which is flat from 1.5 on; all have a slope of 1 at zero
    and limits of 1. At its input the active level is ``drive_db`` - 15 dB, so that a sine at this level has about 1 %
    of harmonics at 3 dB of tanh and 30 % at 24 dB. ``bias`` moves the operating point on the curve: 0 gives odd
    harmonics only (as tape), other values even ones, too (as tubes); the offset that it adds, below 10 Hz, is removed.
    The RMS of the clip is preserved. With ``oversampling`` 2 it is rendered at twice the sample rate (four times below
    40 kHz); with 1 at the sample rate, as simple software does: harmonics are folded back, and peaks have flat tops.
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
    fields: ClassVar[Mapping[str, Field]] = {
        "drive_db": Number(3, 24, "dB"),
        "bias": Number(-0.5, 0.5),
        "curve": Choice(tuple(_CURVES)),
        "oversampling": Choice((1, 2)),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        biased, bias, sign = rng.random() < 0.5, float(rng.uniform(0.05, 0.25)), 1 if rng.random() < 0.5 else -1
        return {
            "drive_db": linear(severity, 3, 24),
            "bias": sign * bias if biased else 0.0,
            "curve": pick(rng, {"tanh": 0.6, "arctan": 0.2, "cubic": 0.2}),
            "oversampling": 2 if rng.random() < 0.7 else 1,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        bias, curve = params["bias"], _CURVES[params["curve"]]
        gain = db_to_gain(params["drive_db"] - _UNIT_DB) / reference(waveform, sample_rate)
        rest, slope = curve.at(np.array(bias)), curve.slope(bias)
        unit = np.float32(1.0 / (gain * slope))  # the slope at the operating point becomes 1

        def bend(wave: np.ndarray) -> np.ndarray:
            bent = wave * np.float32(gain)
            if bias:
                bent += np.float32(bias)
            bent = curve.at(bent)
            if bias:
                bent -= np.float32(rest)
            bent *= unit
            bent -= wave
            return bent

        out = bend(waveform) if params["oversampling"] == 1 else change(waveform, sufficient(sample_rate), bend)
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
