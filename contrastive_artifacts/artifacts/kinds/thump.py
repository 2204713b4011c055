"""Impulsive: thumps."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, log_uniform, merge
from ..dsp.levels import reference
from ..dsp.pulses import count_of
from ..dsp.signals import sine
from ..fields import SEED, Field, Number

_LASTS = 5.0  # length in time constants; the last fifth is faded out
_APART_S = 0.1  # two that start together could cancel each other


@dataclass(frozen=True)
class Thump(Artifact):
    """Bumps of stands, decks and microphones: damped oscillations of 20 to 100 Hz, equal in all channels.

    ``decay_ms`` is the time constant of the decay (to 1/e); the attack takes a quarter of a period, which avoids a
    click. ``level_db`` is the peak re the active level. Single thumps differ by up to ``spread_db``, by about 20 % in
    frequency and decay (limited to the ranges of the fields), and in sign; they start at least 100 ms apart. Every clip
    has at least one.
    """

    name: ClassVar[str] = "thump"
    family: ClassVar[str] = "impulsive"
    synonyms: ClassVar[tuple[str, ...]] = ("ML bump", "bump", "thud", "handling noise", "low-frequency pop")
    scale: ClassVar[str] = ".2 .. 2 thumps per s, with peaks 0 .. 18 dB above the active level"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "rate_hz": Number(0.2, 2, "thumps per s"),
        "level_db": Number(0, 18, "dB"),
        "spread_db": Number(0, 6, "dB"),
        "hertz": Number(20, 100, "Hz"),
        "decay_ms": Number(20, 100, "ms"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "rate_hz": geometric(severity, 0.2, 2),
            "level_db": linear(severity, 0, 18),
            "spread_db": float(rng.uniform(0, 4)),
            "hertz": log_uniform(rng, 20, 100),
            "decay_ms": log_uniform(rng, 20, 100),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        rng = seeding.generator(params["seed"], "thump")
        count = count_of(rng, params["rate_hz"] * samples / sample_rate)
        # One row per thump: a higher rate adds thumps and keeps the others.
        drawn = rng.random((count, 5))
        drawn = drawn[_apart(drawn[:, 0] * samples, _APART_S * sample_rate)]
        place, louder, higher, longer, sign = drawn.T
        starts = (place * samples).astype(np.int64)
        level = reference(waveform, sample_rate) * db_to_gain(params["level_db"])
        peaks = level * db_to_gain(1.0) ** (params["spread_db"] * (2 * louder - 1)) * np.where(sign < 0.5, -1.0, 1.0)
        hertz = np.clip(params["hertz"] * np.exp(0.4 * (higher - 0.5)), 20, 100)
        decay = np.clip(params["decay_ms"] * np.exp(0.4 * (longer - 0.5)), 20, 100) * 1e-3 * sample_rate
        stops = np.minimum(starts + np.ceil(_LASTS * decay).astype(np.int64), samples)
        track = np.zeros(samples, dtype=np.float32)
        for start, stop, *shape in zip(starts, stops, peaks, hertz / sample_rate, decay, strict=True):
            track[start:stop] += _pulse(*shape)[: stop - start]
        order = np.argsort(starts, kind="stable")
        return waveform + track, merge(starts[order], stops[order])


def _apart(places: np.ndarray, gap: float) -> list[int]:
    """Indices of ``places`` ``[K]``, in order, without those closer than ``gap`` to an earlier one that is included."""
    occupied: list[float] = []  # sorted
    indices = []
    for index, place in enumerate(places.tolist()):
        after = bisect(occupied, place)
        if all(abs(place - other) >= gap for other in occupied[max(0, after - 1) : after + 1]):
            insort(occupied, place)
            indices.append(index)
    return indices


def _pulse(peak: float, cycles: float, decay: float) -> np.ndarray:
    """One damped oscillation whose largest sample is ``peak``; ``cycles`` per sample, ``decay`` in samples."""
    pulse = sine(int(np.ceil(_LASTS * decay)), cycles, cycles / 2, decay)
    attack = min(len(pulse), max(1, round(0.25 / cycles)))
    pulse[:attack] *= np.sin(np.pi / 2 * (np.arange(attack) + 0.5) / attack).astype(np.float32) ** 2
    fade = max(1, len(pulse) // 5)
    pulse[-fade:] *= np.cos(np.pi / 2 * np.arange(fade) / fade).astype(np.float32) ** 2
    pulse *= np.float32(peak) / np.abs(pulse).max()
    return pulse
