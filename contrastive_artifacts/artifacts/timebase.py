"""Time base: wow and flutter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .base import Artifact, Params, geometric, log_uniform, pick, whole
from .fields import Field, Number, Rows

_TAPS = 32
_PHASES = 16384
_CHUNK = 1 << 13  # samples interpolated at a time: their taps stay in the cache
_BETA = 9.0  # Kaiser window: images about -90 dB up to .4 of the rate


@dataclass(frozen=True)
class WowFlutter(Artifact):
    """Uneven speed of a record or tape: the speed follows a few sinusoids about its mean.

    ``parts`` are rows [rate in Hz, weight, phase in turns]; rates to 6 Hz are wow, above it flutter. The speed curve
    has zero mean over the clip, so that the clip starts and ends where it did and keeps its length, and its peak is
    ``deviation``. Rendered by interpolation with a Kaiser-windowed sinc of 32 taps at fractional positions
    (Smith, Digital Audio Resampling, CCRMA 2002).
    """

    name: ClassVar[str] = "wow_flutter"
    family: ClassVar[str] = "timebase"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Wow & Flutter", "wow", "flutter", "wow and flutter", "speed variation")
    scale: ClassVar[str] = "peak speed deviation, .1 .. 2 %, at .5-100 Hz"
    fields: ClassVar[Mapping[str, Field]] = {
        "deviation": Number(0.001, 0.02),
        "parts": Rows({"rate": Number(0.5, 100, "Hz"), "weight": Number(0.01, 1), "phase": Number(0, 1)}, most=4),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"wow": 0.4, "flutter": 0.3, "both": 0.3})
        wow, flutter, balance = log_uniform(rng, 0.5, 6), log_uniform(rng, 6, 100), float(rng.uniform(0.25, 0.75))
        overtone = 0.0 if rng.random() < 0.6 else float(rng.uniform(0.1, 0.5))  # an eccentric disc is not one sine
        phases = [float(p) for p in rng.random(3)]
        wows = [[wow, 1.0, phases[0]]] + ([[2 * wow, overtone, phases[1]]] if overtone else [])
        flutters = [[flutter, 1.0, phases[2]]]
        mixed = [[r, w * balance, p] for r, w, p in wows] + [[r, w * (1 - balance), p] for r, w, p in flutters]
        parts = {"wow": wows, "flutter": flutters, "both": mixed}[kind]
        return {"deviation": geometric(severity, 0.001, 0.02), "parts": parts}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        gain, mean = _peak_scale(samples / sample_rate, params)
        table = _sinc_table()
        pad = np.pad(waveform, ((0, 0), (_TAPS // 2, _TAPS // 2 + 1)))
        windows = sliding_window_view(pad, _TAPS, axis=1)
        out = np.empty_like(waveform)
        for start in range(0, samples, _CHUNK):
            stop = min(start + _CHUNK, samples)
            position = np.arange(start, stop) + _offset(start, stop, sample_rate, params, gain, mean)
            np.clip(position, 0, samples - 1, out=position)
            sample = position.astype(np.int64)
            phase = np.round((position - sample) * _PHASES).astype(np.int64)
            weights = table[phase]
            # Window w of the padded row holds the samples w - taps/2 ...; the sinc is centred on its tap taps/2 - 1.
            for channel in range(len(waveform)):
                out[channel, start:stop] = np.einsum("nk,nk->n", windows[channel, sample + 1], weights)
        return out, whole(waveform)


def _offset(start: int, stop: int, sample_rate: int, params: Params, gain: float, mean: float) -> np.ndarray:
    """How many samples the reading position is ahead at the samples [start, stop): the integral of the speed curve."""
    seconds = np.arange(start, stop) / sample_rate
    ahead = -mean * seconds
    for rate, weight, phase in params["parts"]:
        turn = 2 * np.pi * rate
        ahead += (
            weight / turn * (np.cos(2 * np.pi * phase) - _cosine(start, stop, turn / sample_rate, 2 * np.pi * phase))
        )
    return ahead * (gain * sample_rate)


def _cosine(start: int, stop: int, step: float, phase: float) -> np.ndarray:
    """cos(step * n + phase) for n in [start, stop), by the angle sum over rows and columns: few cosines."""
    columns = 128
    rows = -(-(stop - start) // columns)
    coarse = np.exp(1j * (step * (start + columns * np.arange(rows)) + phase))
    fine = np.exp(1j * step * np.arange(columns))
    product = np.outer(coarse.real, fine.real)
    product -= np.outer(coarse.imag, fine.imag)
    return product.ravel()[: stop - start]


def _peak_scale(duration: float, params: Params) -> tuple[float, float]:
    """The gain that gives the speed curve less its mean over the clip the asked peak, and that mean."""
    fastest = max(rate for rate, _, _ in params["parts"])
    time = np.linspace(0, duration, int(np.clip(64 * fastest * duration, 8192, 1 << 16)))
    speed, mean = np.zeros_like(time), 0.0
    for rate, weight, phase in params["parts"]:
        angle = 2 * np.pi * phase
        speed += weight * np.sin(2 * np.pi * rate * time + angle)
        turn = 2 * np.pi * rate * duration
        mean += weight * (np.cos(angle) - np.cos(turn + angle)) / turn
    peak = float(np.abs(speed - mean).max())
    return params["deviation"] / max(peak, 1e-9), float(mean)


@cache
def _sinc_table() -> np.ndarray:
    """``[_PHASES + 1, _TAPS]`` weights of unit sum; row p interpolates p / _PHASES of the way after tap taps/2 - 1."""
    distance = np.arange(_TAPS) - (_TAPS // 2 - 1) - (np.arange(_PHASES + 1) / _PHASES)[:, None]
    window = np.i0(_BETA * np.sqrt(np.maximum(0, 1 - (distance / (_TAPS / 2)) ** 2))) / np.i0(_BETA)
    weights = np.sinc(distance) * window
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
