"""Impulsive: clicks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, linear, log_uniform, merge, pick
from ..dsp.levels import reference
from ..dsp.pulses import bumps, count_of, ring
from ..fields import SEED, Choice, Field, Number

_BATCH = 1 << 13  # clicks computed at a time: 8192 x 5 ms at 44.1 kHz is 7 MB


@dataclass(frozen=True)
class _Clicks:
    """The clicks of a clip, in samples: int64 ``[K]`` each, sorted by start."""

    start: np.ndarray
    stop: np.ndarray  # cut at the end of the clip
    length: np.ndarray


@dataclass(frozen=True)
class Clicks(Artifact):
    """Ticks, clicks and pops of records, switches and digital errors, equal in all channels.

    Shapes: ``impulse`` (one sample), exponential ``decay``, damped ``resonance`` (an AR(2) pulse excited once),
    ``burst`` (an AR(2) pulse excited by decaying noise), ``pop`` (a smooth bump, or one with a dip after it), or
    ``mixed``. ``level_db`` is the peak re the active level,
    from which single clicks differ by up to ``spread_db``. Model: Godsill and Rayner, Digital Audio Restoration, 1998
    (clicks as additive bursts). Every clip has at least one.
    """

    name: ClassVar[str] = "clicks"
    family: ClassVar[str] = "impulsive"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Clicks and Pops", "ML tick/pop", "tick", "pop", "impulse noise")
    scale: ClassVar[str] = ".2 .. 20 clicks per s, with peaks 10 .. 24 dB above the active level"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "rate_hz": Number(0.2, 20, "clicks per s"),
        "level_db": Number(10, 24, "dB"),
        "spread_db": Number(0, 6, "dB"),
        "shape": Choice(("impulse", "decay", "resonance", "burst", "pop", "mixed")),
        "length_ms": Number(0.05, 5, "ms"),
        "resonance_hz": Number(500, 8000, "Hz"),
        "spacing": Choice(("random", "regular")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "rate_hz": geometric(severity, 0.2, 20),
            "level_db": linear(severity, 10, 24),
            "spread_db": float(rng.uniform(0, 4)),
            "shape": pick(
                rng, {"impulse": 0.2, "decay": 0.15, "resonance": 0.2, "burst": 0.1, "pop": 0.15, "mixed": 0.2}
            ),
            "length_ms": log_uniform(rng, 0.1, 5),
            "resonance_hz": log_uniform(rng, 500, 8000),
            "spacing": pick(rng, {"random": 0.85, "regular": 0.15}),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        clicks = _place(waveform.shape[-1], sample_rate, params)
        level = reference(waveform, sample_rate) * db_to_gain(params["level_db"])
        # Overlapping clicks are summed in one track, which is added once.
        track = np.zeros(waveform.shape[-1], dtype=np.float32)
        for starts, bursts in _bursts(clicks, sample_rate, params):
            where = starts[:, None] + np.arange(bursts.shape[1])
            inside = (bursts != 0) & (where < len(track))
            np.add.at(track, where[inside], np.float32(level) * bursts[inside])
        return waveform + track, merge(clicks.start, clicks.stop)


def _place(samples: int, sample_rate: int, params: Params) -> _Clicks:
    """Draws the positions and lengths of the clicks."""
    rng = seeding.generator(params["seed"], "clicks", "place")
    count = count_of(rng, params["rate_hz"] * samples / sample_rate)
    if params["spacing"] == "regular":
        step = sample_rate / params["rate_hz"]
        first = rng.random() * min(step, samples)
        start = np.arange(first, samples, step)
        start = start + rng.normal(0, 0.002 * step, len(start))  # no machine turns at a constant speed
    else:
        start = rng.random(count) * samples
    # Two clicks on one sample could cancel each other: one of them is left out.
    start = np.unique(np.clip(start.astype(np.int64), 0, samples - 1))
    spread = np.exp(rng.normal(0, 0.4, len(start)))
    milliseconds = np.clip(params["length_ms"] * spread, 0.05, 5)
    length = np.maximum(1, np.round(milliseconds * 1e-3 * sample_rate)).astype(np.int64)
    if params["shape"] == "impulse":
        length[:] = 1
    elif params["shape"] == "mixed":
        length[rng.random(len(start)) < 0.3] = 1
    return _Clicks(start, np.minimum(start + length, samples), length)


def _bursts(clicks: _Clicks, sample_rate: int, params: Params) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields batches of starts ``[K]`` and pulses ``[K, L]``, whose peaks spread around 1, zero beyond each length."""
    for batch, begin in enumerate(range(0, len(clicks.start), _BATCH)):
        rng = seeding.generator(params["seed"], "clicks", "shape", batch)
        start, length = clicks.start[begin : begin + _BATCH], clicks.length[begin : begin + _BATCH]
        count, longest = len(start), int(length.max())
        step = np.arange(longest)
        kind = np.full(count, params["shape"])
        if params["shape"] == "mixed":
            kind = np.array(["decay", "resonance", "burst", "pop"])[rng.integers(4, size=count)]
        hertz = np.clip(params["resonance_hz"] * np.exp(rng.normal(0, 0.25, count)), 300, 0.45 * sample_rate)
        wave = np.cos(2 * np.pi * (hertz[:, None] / sample_rate * step + rng.uniform(-0.2, 0.2, count)[:, None]))
        wave[kind == "decay"] = 1.0
        wild = kind == "burst"
        excitation = rng.standard_normal((int(wild.sum()), longest))
        fall = rng.uniform(3, 7, count)
        envelope = np.exp(-fall[:, None] * step / length[:, None])
        wave *= envelope
        excitation *= envelope[wild]
        excitation[:, 0] = 2.0  # a click starts with a step, whatever noise follows
        wave[wild] = ring(excitation, hertz[wild, None], length[wild] / fall[wild], sample_rate)
        smooth = kind == "pop"
        wave[smooth] = bumps(length[smooth], rng.random(int(smooth.sum())) < 0.5, longest)
        wave[step >= length[:, None]] = 0.0
        wave[length == 1, 0] = 1.0
        peak = db_to_gain(1.0) ** rng.uniform(-params["spread_db"], params["spread_db"], count)
        sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        wave *= (sign * peak / np.abs(wave).max(axis=1))[:, None]
        yield start, wave.astype(np.float32)
