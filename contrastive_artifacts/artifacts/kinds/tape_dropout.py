"""Missing: tape dropout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import fft

from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, log_uniform
from ..dsp.places import draw_places, event_count
from ..fields import SEED, Field, Number

_LENGTH_S = (0.01, 0.5)
_MOST = 0.4  # greatest share of the clip
_SPEEDS = (4.76, 9.53, 19.05)  # cm/s: cassette and open reel


@dataclass(frozen=True)
class TapeDropout(Artifact):
    """Tape dropout: short losses of level, greater at high frequencies; the same in all channels.

    Missing oxide attenuates all frequencies by ``depth_db``. A distance of ``distance_um`` between tape and head
    attenuates by 54.6 dB x distance / wavelength more (spacing loss: Wallace, The Reproduction of Magnetically Recorded
    Signals, Bell System Technical Journal, 1951), with wavelength = ``speed_cm_s`` / frequency, and without change of
    phase. Both have raised-cosine ramps, each of the share ``ramp`` of a dropout. Lengths spread around ``length_ms``,
    within 10-500 ms. The middle of each dropout lies where there is sound; there is at least one, and they take at most
    40 % of the clip.
    """

    name: ClassVar[str] = "tape_dropout"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Audio Dropout", "analog dropout", "oxide dropout", "spacing loss")
    scale: ClassVar[str] = "loss of level, 6 .. 30 dB, and head-to-tape distance, about .5 .. 5 um"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "depth_db": Number(6, 30, "dB"),
        "distance_um": Number(0.3, 8, "micrometres"),
        "speed_cm_s": Number(2.38, 76.2, "cm/s"),
        "rate_hz": Number(0.1, 4, "dropouts per s"),
        "length_ms": Number(10, 500, "ms"),
        "ramp": Number(0.1, 0.5),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "depth_db": linear(severity, 6, 30),
            "distance_um": geometric(severity, 0.5, 5) * log_uniform(rng, 0.6, 1.6),
            "speed_cm_s": _SPEEDS[int(rng.integers(len(_SPEEDS)))],
            "rate_hz": log_uniform(rng, 0.2, 2),
            "length_ms": log_uniform(rng, 20, 400),
            "ramp": float(rng.uniform(0.1, 0.5)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        out = waveform.copy()
        segments = _segments(waveform, sample_rate, params)
        # exp(-2 pi d f / v) is 54.6 dB for each wavelength of distance; its response in time is a Lorentzian of
        # half-width d / v, of which 32 half-widths hold all but 2 %.
        lag_s = params["distance_um"] * 1e-4 / params["speed_cm_s"]
        margin = 16 + math.ceil(32 * lag_s * sample_rate)
        drop = -params["depth_db"] / 20 * math.log(10)
        for start, stop in segments.tolist():
            first, last = max(0, start - margin), min(waveform.shape[-1], stop + margin)
            size = fft.next_fast_len(last - first + margin, real=True)
            loss = np.exp(np.arange(size // 2 + 1) * (-2 * np.pi * lag_s * sample_rate / size)).astype(np.float32)
            dull = fft.irfft(fft.rfft(waveform[:, first:last], size) * loss, size)[:, start - first : stop - first]
            lift = _lift(stop - start, params["ramp"])
            part = out[:, start:stop]
            part += lift * (dull - part)
            part *= np.exp(np.float32(drop) * lift)
        return out, segments


def _segments(waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """The dropouts, int64 ``[K, 2]``; the same at every severity."""
    samples = waveform.shape[-1]
    shortest, longest = (s * sample_rate for s in _LENGTH_S)
    centre_length = params["length_ms"] * 1e-3 * sample_rate
    limit = min(longest, 1.6 * centre_length, max(1.0, _MOST * samples))
    count = event_count(samples, sample_rate, params["rate_hz"], limit, _MOST)
    # 1.5 times the longest: two that are moved back into the clip at its ends do not overlap.
    middle = draw_places(
        waveform, sample_rate, count, 1.5 * limit, seeding.generator(params["seed"], "tape_dropout", "place")
    )
    spread = seeding.generator(params["seed"], "tape_dropout", "length").uniform(0.6, 1.6, len(middle))
    length = np.round(np.clip(centre_length * spread, min(shortest, limit), limit)).astype(np.int64)
    start = np.clip(middle - length // 2, 0, samples - length)
    return np.stack([start, start + length], axis=1)


def _lift(length: int, ramp: float) -> np.ndarray:
    """The envelope of a dropout: from 0 (excluded) to 1 and back, float32 ``[length]``."""
    rise = max(1, int(ramp * length))
    up = (0.5 - 0.5 * np.cos(np.pi * np.arange(1, rise + 1) / (rise + 1))).astype(np.float32)
    lift = np.ones(length, dtype=np.float32)
    lift[:rise] = up
    lift[length - rise :] = np.minimum(lift[length - rise :], up[::-1])
    return lift
