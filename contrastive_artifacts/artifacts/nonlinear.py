"""Nonlinear: clipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Artifact, Params, geometric, merge
from .fields import Field, Number
from .levels import active_blocks


@dataclass(frozen=True)
class Clipping(Artifact):
    """Digital and analogue overload: the top of the wave is cut off, and the lower level kept.

    ``share`` is the share of the active samples (over all channels) that end at the ceiling. ``knee`` bends the curve
    over that part of the ceiling before it is flat (0: hard); ``skew`` sets the positive ceiling so much higher than
    the negative one. The ceilings are common to all channels. A wave of one single magnitude (a square, a constant) has
    nothing to cut and stays as it is.
    """

    name: ClassVar[str] = "clipping"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Digital Clipping",
        "ML clipping",
        "overload",
        "overs",
        "saturated peaks",
    )
    scale: ClassVar[str] = "share of the active samples that are clipped, .1 .. 20 %"
    fields: ClassVar[Mapping[str, Field]] = {
        "share": Number(0.001, 0.2),
        "knee": Number(0, 0.5),
        "skew": Number(-0.2, 0.2),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        soft, knee = rng.random() < 0.3, float(rng.uniform(0.05, 0.4))
        skewed, skew = rng.random() < 0.25, float(rng.uniform(-0.15, 0.15))
        return {
            "share": geometric(severity, 0.001, 0.2),
            "knee": knee if soft else 0.0,
            "skew": skew if skewed else 0.0,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        out = self._bend(waveform, sample_rate, params)
        changed = np.flatnonzero((out != waveform).any(axis=0))
        return out, merge(changed, changed + 1, gap=int(0.001 * sample_rate))

    def _bend(self, waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
        knee, skew = params["knee"], params["skew"]
        ceiling = _ceiling(waveform, sample_rate, params)
        if ceiling is None:
            return waveform.copy()
        high, low = np.float32(ceiling * (1 + skew)), np.float32(-ceiling * (1 - skew))
        if knee == 0:
            return np.clip(waveform, low, high)
        # A parabola joins slope 1 at (1 - knee) to slope 0 at (1 + knee) of the ceiling, which is reached there.
        scale = np.where(waveform >= 0, high, -low) / (1 + knee)
        drive = np.abs(waveform) / scale
        over = np.clip(drive - (1 - knee), 0, 2 * knee)
        bent = scale * (np.minimum(drive, 1 + knee) - over**2 / (4 * knee))
        return np.where(drive > 1 - knee, np.copysign(bent, waveform), waveform)


def _ceiling(waveform: np.ndarray, sample_rate: int, params: Params) -> float | None:
    """The level above which lies the asked share of the active samples; None when there is nothing to cut."""
    length = max(1, int(0.05 * sample_rate))
    if not waveform.any():
        return None
    active = active_blocks(waveform, length, below_db=40.0)
    level = np.where(waveform >= 0, 1 / np.float32(1 + params["skew"]), -1 / np.float32(1 - params["skew"])) * waveform
    if not active.all():
        level = level[:, np.repeat(active, length)[: waveform.shape[-1]]]
    level = level.ravel()
    count = max(1, round(params["share"] * level.size))
    rank = max(0, level.size - count - 1)
    ceiling, peak = float(np.partition(level, rank)[rank]), float(level.max())
    if ceiling >= peak:  # a plateau (audio that was clipped before): cut just under it
        below = level[level < peak]
        ceiling = float(below.max()) if below.size else 0.0
    return ceiling if ceiling > 0 else None
