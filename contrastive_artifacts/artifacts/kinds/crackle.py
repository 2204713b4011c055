"""Impulsive: crackle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, log_uniform, merge
from ..dsp.levels import reference
from ..dsp.pulses import bank, count_of, scatter
from ..fields import SEED, Choice, Field, Number

_BATCH = 1 << 13  # pulses added at a time
_SHAPES = 256  # pulses in the bank of a clip
_LOUDEST = db_to_gain(26)  # re the median pulse


@dataclass(frozen=True)
class Crackle(Artifact):
    """Dust and wear of records, and bad contacts: dense, short, mostly weak pulses, equal in all channels.

    Times are a Poisson process. Each pulse is one of 256 that are drawn for the clip from AR models of ``order`` around
    ``resonance_hz``. Amplitudes are log-logistic, up to 26 dB above the median: the median peak is ``level_db`` re the
    active level, and the share of pulses above a times the median falls as a ** -``tail``. Model: Godsill and Rayner,
    Digital Audio Restoration, 1998 (excited AR pulses, heavy tails).
    """

    name: ClassVar[str] = "crackle"
    family: ClassVar[str] = "impulsive"
    synonyms: ClassVar[tuple[str, ...]] = ("ML crackle", "surface noise", "dust", "scratchy", "static crackle")
    scale: ClassVar[str] = "50 .. 2000 pulses per s, with median peaks -14 .. 0 dB re the active level"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "rate_hz": Number(50, 2000, "pulses per s"),
        "level_db": Number(-14, 0, "dB"),
        "tail": Number(1.5, 4),
        "length_ms": Number(0.1, 1, "ms"),
        "resonance_hz": Number(500, 10000, "Hz"),
        "order": Choice((2, 4)),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "rate_hz": geometric(severity, 50, 2000),
            "level_db": linear(severity, -14, 0),
            "tail": float(rng.uniform(1.8, 3.5)),
            "length_ms": log_uniform(rng, 0.15, 0.8),
            "resonance_hz": log_uniform(rng, 1000, 8000),
            "order": int((2, 4)[int(rng.integers(2))]),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        length = max(2, round(params["length_ms"] * 1e-3 * sample_rate))
        shapes = bank(
            seeding.generator(params["seed"], "crackle", "shapes"),
            _SHAPES, length, params["resonance_hz"], params["order"], sample_rate,
        )  # fmt: skip
        shapes *= np.float32(reference(waveform, sample_rate) * db_to_gain(params["level_db"]))
        count = count_of(
            seeding.generator(params["seed"], "crackle", "count"), params["rate_hz"] * samples / sample_rate
        )
        track = np.zeros(samples, dtype=np.float32)
        starts = np.empty(count, dtype=np.int64)
        for batch, begin in enumerate(range(0, count, _BATCH)):
            rng = seeding.generator(params["seed"], "crackle", "pulses", batch)
            # One row per pulse: a higher rate adds pulses and keeps the others.
            place, size, kind = rng.random((min(_BATCH, count - begin), 3)).T
            start = (place * samples).astype(np.int64)
            rank = np.abs(2 * size - 1)
            amplitude = np.minimum((rank / (1 - rank)) ** (1 / params["tail"]), _LOUDEST)
            signed = np.copysign(amplitude, size - 0.5).astype(np.float32)
            scatter(track, start, shapes[(kind * _SHAPES).astype(np.intp)] * signed[:, None])
            starts[begin : begin + len(start)] = start
        starts.sort()
        return waveform + track, merge(starts, np.minimum(starts + length, samples))
