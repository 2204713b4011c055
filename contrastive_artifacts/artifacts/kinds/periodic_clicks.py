"""Impulsive: periodic clicks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, linear, log_uniform, merge, pick
from ..dsp.levels import reference
from ..dsp.pulses import bank, bumps, scatter
from ..fields import SEED, Choice, Field, Number

_BATCH = 1 << 13  # clicks added at a time
_SHAPES = 32  # clicks in the bank of a clip
_COMMON = 0.97  # weight of the part that they share
_TURNS_HZ = {"33": 100 / 180, "45": 45 / 60, "78": 78 / 60, "frame": 24.0, "sprocket": 96.0}
_RECORDS = ("33", "45", "78")


@dataclass(frozen=True)
class PeriodicClicks(Artifact):
    """A scratch across the groove of a record, or splices and perforations of film: similar clicks, one per period.

    ``rate_hz`` is that of a record (33 1/3, 45 or 78 per minute), of film frames (24 Hz) or of perforations (96 Hz),
    within 0.2 %. Each click has the ``shape`` of an excited AR(4) pulse around ``resonance_hz``, or is a smooth ``pop``
    (a bump, or one with a dip after it), equal in all channels. ``level_db`` is
    the peak re the active level, from which single clicks differ by up to ``spread_db``; ``jitter`` is the RMS of their
    deviation in time, as a share of the period; ``phase`` is the position of the first click in the first period, or in
    a clip that is shorter.
    """

    name: ClassVar[str] = "periodic_clicks"
    family: ClassVar[str] = "impulsive"
    synonyms: ClassVar[tuple[str, ...]] = ("record scratch", "once per revolution", "sprocket noise", "frame noise")
    scale: ClassVar[str] = "peaks 6 .. 24 dB above the active level for records, -8 .. 12 dB for film"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "rate_hz": Number(0.5, 100, "clicks per s"),
        "level_db": Number(-8, 24, "dB"),
        "spread_db": Number(0, 3, "dB"),
        "jitter": Number(0, 0.002),
        "phase": Number(0, 1, "turns"),
        "length_ms": Number(0.1, 3, "ms"),
        "resonance_hz": Number(300, 8000, "Hz"),
        "shape": Choice(("resonance", "pop")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"33": 0.25, "45": 0.2, "78": 0.25, "frame": 0.15, "sprocket": 0.15})
        # Clicks that come many times per s are audible at far lower peaks.
        mild, severe = (6, 24) if kind in _RECORDS else (-8, 12)
        return {
            "seed": draw_seed(rng),
            "rate_hz": _TURNS_HZ[kind] * float(rng.uniform(0.998, 1.002)),
            "level_db": linear(severity, mild, severe),
            "spread_db": float(rng.uniform(0, 2)),
            "jitter": float(rng.uniform(0, 0.001)),
            "phase": float(rng.random()),
            "length_ms": log_uniform(rng, 0.3, 3),
            "resonance_hz": log_uniform(rng, 500, 5000),
            "shape": pick(rng, {"resonance": 0.75, "pop": 0.25}),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        length = max(2, round(params["length_ms"] * 1e-3 * sample_rate))
        rng = seeding.generator(params["seed"], "periodic_clicks", "shapes")
        if params["shape"] == "pop":
            dips = np.full(1, rng.random() < 0.5)
            shapes = np.repeat(bumps(np.array([length]), dips, length), _SHAPES, axis=0).astype(np.float32)
            shapes /= shapes.max()
        else:
            shapes = bank(rng, _SHAPES, length, params["resonance_hz"], 4, sample_rate, common=_COMMON)
        shapes *= np.float32(reference(waveform, sample_rate) * db_to_gain(params["level_db"]))
        step = sample_rate / params["rate_hz"]
        exact = np.arange(params["phase"] * min(step, samples - 1), samples, step)
        rng = seeding.generator(params["seed"], "periodic_clicks", "turns")
        wobble = params["jitter"] * step * np.clip(rng.standard_normal(len(exact)), -3, 3)
        starts = np.clip(np.round(exact + wobble).astype(np.int64), 0, samples - 1)
        gain = db_to_gain(1.0) ** (params["spread_db"] * rng.uniform(-1, 1, len(starts)))
        kind = rng.integers(_SHAPES, size=len(starts))
        track = np.zeros(samples, dtype=np.float32)
        for begin in range(0, len(starts), _BATCH):
            part = slice(begin, begin + _BATCH)
            scatter(track, starts[part], shapes[kind[part]] * gain[part, None].astype(np.float32))
        return waveform + track, merge(starts, np.minimum(starts + length, samples))
