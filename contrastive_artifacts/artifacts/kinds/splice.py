"""Missing: bad splice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import fft

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, linear, log_uniform, pick
from ..dsp.levels import reference
from ..dsp.places import draw_places, event_count
from ..fields import SEED, Field, Number

_MOST = 0.5  # of the clip
_MARGIN_S = 0.02  # around a piece, for its spectrum: below 50 Hz the phase is less exact at the joints
_FADED = math.log(1e4)  # time constants until an offset has decayed by 80 dB


@dataclass(frozen=True)
class Splice(Artifact):
    """Bad splice: pieces that do not match the sound around them, with hard joints, the same in all channels.

    In a piece, the level is changed by ``level_db``, the phase of all frequencies by ``phase_deg`` (180 inverts the
    polarity), and an offset of ``dc`` times the active level starts with a jump and decays as after the high-pass of an
    AC coupling at ``coupling_hz``. A value of 0 means no such change. A piece is about ``piece_s`` long; with an offset
    alone it ends where that has decayed by 80 dB. Pieces start where there is sound; there is at least one, and they
    take at most half the clip.
    """

    name: ClassVar[str] = "splice"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA bad splice", "bad edit", "phase jump", "DC jump")
    scale: ClassVar[str] = "jump of level 1.5 .. 12 dB, of phase 20 .. 180 degrees, or of DC -24 .. +6 dB re level"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "level_db": Number(-12, 12, "dB"),
        "phase_deg": Number(0, 180, "degrees"),
        "dc": Number(-2, 2, "times the active level"),
        "coupling_hz": Number(1, 40, "Hz"),
        "rate_hz": Number(0.05, 2, "pieces per s"),
        "piece_s": Number(0.1, 3, "s"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"level": 0.4, "phase": 0.3, "dc": 0.3})
        sign = 1.0 if rng.random() < 0.5 else -1.0
        return {
            "seed": draw_seed(rng),
            "level_db": sign * linear(severity, 1.5, 12) if kind == "level" else 0.0,
            "phase_deg": linear(severity, 20, 180) if kind == "phase" else 0.0,
            "dc": sign * db_to_gain(linear(severity, -24, 6)) if kind == "dc" else 0.0,
            "coupling_hz": log_uniform(rng, 2, 20),
            "rate_hz": log_uniform(rng, 0.2, 1),
            "piece_s": log_uniform(rng, 0.2, 2),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        out = waveform.copy()
        segments = _pieces(waveform, sample_rate, params)
        level, angle = np.float32(db_to_gain(params["level_db"])), math.radians(params["phase_deg"])
        offset = params["dc"] * reference(waveform, sample_rate) if params["dc"] else 0.0
        fall = -2 * np.pi * params["coupling_hz"] / sample_rate
        for start, stop in segments.tolist():
            part = out[:, start:stop]
            if params["phase_deg"] == 180:
                part *= -1
            elif angle:
                part[:] = _phase_shifted(waveform, start, stop, angle, round(_MARGIN_S * sample_rate))
            part *= level
            if offset:
                part += (offset * np.exp(fall * np.arange(stop - start))).astype(np.float32)
        return out, segments


def _pieces(waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """The touched samples, int64 ``[K, 2]``; the same at every severity."""
    samples = waveform.shape[-1]
    limit = max(1.0, min(1.3 * params["piece_s"] * sample_rate, _MOST * samples))
    count = event_count(samples, sample_rate, params["rate_hz"], limit, _MOST)
    place = seeding.generator(params["seed"], "splice", "place")
    start = np.maximum(draw_places(waveform, sample_rate, count, limit + 2, place), min(1, samples - 1))
    spread = seeding.generator(params["seed"], "splice", "length").uniform(0.7, 1.3, len(start))
    length = np.clip(params["piece_s"] * sample_rate * spread, 1, limit)
    if not params["level_db"] and not params["phase_deg"]:
        length = np.minimum(length, max(1.0, _FADED * sample_rate / (2 * np.pi * params["coupling_hz"])))
    return np.stack([start, np.minimum(start + length.astype(np.int64), samples)], axis=1)


def _phase_shifted(waveform: np.ndarray, start: int, stop: int, angle: float, margin: int) -> np.ndarray:
    """Samples [start, stop) of ``[C, T]`` with the phase of all frequencies shifted by ``angle`` in rad."""
    first, last = max(0, start - margin), min(waveform.shape[-1], stop + margin)
    size = fft.next_fast_len(last - first + margin, real=True)
    spectrum = fft.rfft(waveform[:, first:last], size)
    spectrum[:, 1 : (size + 1) // 2] *= np.complex64(complex(math.cos(angle), math.sin(angle)))
    for edge in (0, size // 2) if size % 2 == 0 else (0,):  # DC and the Nyquist frequency are real
        spectrum[:, edge] *= np.float32(math.cos(angle))
    return fft.irfft(spectrum, size)[:, start - first : stop - first]
