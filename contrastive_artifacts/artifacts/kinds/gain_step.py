"""Dynamics: level shifts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, geometric, log_uniform, pick
from ..dsp.places import sounding_time
from ..fields import Field, Number, Rows


@dataclass(frozen=True)
class GainStep(Artifact):
    """Level shifts: steps or ramps of the gain by ``step_db``, with or without return, equal in all channels.

    ``spans`` are rows [start, stop, direction] where the gain is not 1, as shares of the time without pauses
    (:func:`.places.sounding_time`), so that both sides of a step are audible. A direction below 0 is down. A ramp of
    ``ramp_ms``, linear in dB, lies inside the span and takes at most half of it; there is none at 0 and at 1, where the
    clip starts or ends at the shifted level. Of overlapping spans, only the first one counts.
    """

    name: ClassVar[str] = "gain_step"
    family: ClassVar[str] = "dynamics"
    synonyms: ClassVar[tuple[str, ...]] = ("ML level shift", "level jump", "volume step", "gain change", "fader move")
    scale: ClassVar[str] = "size of the steps, 1.5 .. 15 dB, within 1-10 ms or .5-2 s"
    fields: ClassVar[Mapping[str, Field]] = {
        "step_db": Number(1.5, 15, "dB"),
        "ramp_ms": Number(1, 2000, "ms"),
        "spans": Rows({"start": Number(0, 1), "stop": Number(0, 1), "direction": Number(-1, 1)}, most=4),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"stays": 0.4, "until": 0.15, "passage": 0.25, "several": 0.2})
        count = int(rng.integers(2, 5))
        slow, sudden_ms, slow_ms = rng.random() < 0.35, log_uniform(rng, 1, 10), log_uniform(rng, 500, 2000)
        signs = [1 if up else -1 for up in rng.random(4) < 0.5]
        # Intervals with and without the shift alternate; the ratio of their lengths is at most 3.
        edges = np.cumsum(rng.uniform(0.5, 1.5, 9))
        if kind == "several":
            edges = edges[: 2 * count + 1] / edges[2 * count]
            spans = [[float(edges[2 * i]), float(edges[2 * i + 1]), signs[i]] for i in range(count)]
        else:
            first, second = float(edges[0] / edges[2]), float(edges[1] / edges[2])
            spans = [[*{"stays": (first, 1.0), "until": (0.0, first), "passage": (first, second)}[kind], signs[0]]]
        return {"step_db": geometric(severity, 1.5, 15), "ramp_ms": slow_ms if slow else sudden_ms, "spans": spans}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        rows = sorted(params["spans"])
        bounds = sounding_time(waveform, sample_rate, np.array([row[:2] for row in rows]))
        out, touched, end = waveform.copy(), [], 0
        for (start, stop), (opening, closing, direction) in zip(bounds.tolist(), rows, strict=True):
            start = min(max(start, end), samples - 1)
            stop = max(stop, start + 1)
            if start < end:  # it overlaps the span before
                continue
            step_db = math.copysign(params["step_db"], direction)
            length = min(max(1, round(params["ramp_ms"] * 1e-3 * sample_rate)), (stop - start) // 2)
            rise = (10 ** (step_db / 20 * np.arange(1, length + 1) / (length + 1))).astype(np.float32)
            left, right = start + length * (opening > 0), stop - length * (closing < 1)
            out[:, start:left] *= rise[: left - start]
            out[:, left:right] *= np.float32(db_to_gain(step_db))
            out[:, right:stop] *= rise[: stop - right][::-1]
            touched.append((start, stop))
            end = stop
        return out, np.array(touched, dtype=np.int64)
