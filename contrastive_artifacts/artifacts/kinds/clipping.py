"""Nonlinear: clipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base import Artifact, Params, geometric
from ..dsp.levels import active_blocks
from ..dsp.oversampling import change
from ..fields import Choice, Field, Number

_SPARSE = 64  # one in so many samples gives a rough estimate of the ceiling
_FAINT = np.float32(1e-5)  # re the ceiling (-100 dB): weaker ringing of the decimation filter is set to zero


@dataclass(frozen=True)
class Clipping(Artifact):
    """Digital and analogue overload: the peaks of the wave are cut off; the level is not raised again.

    ``share`` of the active samples, over all channels, are at the ceiling afterwards. ``knee`` is the part of the
    ceiling over which the curve bends before it is flat (0: hard clipping); ``skew`` raises the positive ceiling and
    lowers the negative one by this share. All channels have the same ceilings. A wave of only one magnitude (a square
    wave, a constant) is not changed.

    With ``oversampling`` 4 the wave is cut between the samples, too, as by an amplifier before the converter: about
    ``share`` of the oversampled wave is at the ceilings, but the samples overshoot them and there are few flat tops.
    Changes of less than -100 dB re the ceiling are left out.
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
        "oversampling": Choice((1, 4)),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        soft, knee = rng.random() < 0.3, float(rng.uniform(0.05, 0.4))
        skewed, skew = rng.random() < 0.25, float(rng.uniform(-0.15, 0.15))
        analogue = rng.random() < 0.2
        return {
            "share": geometric(severity, 0.001, 0.2),
            "knee": knee if soft else 0.0,
            "skew": skew if skewed else 0.0,
            "oversampling": 4 if analogue else 1,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        knee, skew = params["knee"], params["skew"]
        ceiling = _ceiling(waveform, sample_rate, params)
        if ceiling is None:
            return waveform.copy(), np.zeros((0, 2), dtype=np.int64)
        high, low = np.float32(ceiling * (1 + skew)), np.float32(-ceiling * (1 - skew))
        if params["oversampling"] == 1:
            out = _bend(waveform, low, high, knee)
        else:
            out = change(waveform, params["oversampling"], lambda fine: _bend(fine, low, high, knee) - fine)
            out[np.abs(out) < _FAINT * np.float32(ceiling)] = 0.0
            out += waveform
        changed = np.flatnonzero((out != waveform).any(axis=0) if len(out) > 1 else out[0] != waveform[0])
        return out, _runs(changed, gap=int(0.001 * sample_rate))


def _bend(wave: np.ndarray, low: np.float32, high: np.float32, knee: float) -> np.ndarray:
    """The wave (of any shape) limited to ``low`` .. ``high``, as a new array."""
    out = np.clip(wave, low, high)
    if knee == 0:
        return out
    # A parabola from slope 1 at (1 - knee) to slope 0 at (1 + knee) of the ceiling, which is reached there. Only the
    # few samples on it or above it are computed.
    start = (1 - knee) / (1 + knee)
    flat, bent = wave.reshape(-1), out.reshape(-1)
    where = np.flatnonzero((flat > np.float32(start) * high) | (flat < np.float32(start) * low))
    part = flat[where]
    scale = np.where(part >= 0, high, -low) / np.float32(1 + knee)
    drive = np.abs(part) / scale
    over = np.clip(drive - np.float32(1 - knee), 0, np.float32(2 * knee))
    top = scale * (np.minimum(drive, np.float32(1 + knee)) - np.square(over) / np.float32(4 * knee))
    bent[where] = np.copysign(top, part)
    return out


def _runs(positions: np.ndarray, gap: int) -> np.ndarray:
    """Runs of sorted sample positions, int64 ``[K, 2]``; runs at most ``gap`` samples apart are merged."""
    if not len(positions):
        return np.zeros((0, 2), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(positions) > gap + 1)
    first = positions[np.append(0, breaks + 1)]
    last = positions[np.append(breaks, len(positions) - 1)]
    return np.stack([first, last + 1], axis=1).astype(np.int64)


def _ceiling(waveform: np.ndarray, sample_rate: int, params: Params) -> float | None:
    """The level that ``share`` of the active samples exceed, or None if there is nothing to cut."""
    samples = waveform.shape[-1]
    length = max(1, int(0.05 * sample_rate))
    if not waveform.any():
        return None
    active = active_blocks(waveform, length, below_db=40.0)
    if params["skew"] == 0:
        level = np.abs(waveform)
    else:  # each sample is divided by the ceiling of its sign, which gives the greater of two values
        level = waveform * (1 / np.float32(1 + params["skew"]))
        np.maximum(level, waveform * (-1 / np.float32(1 - params["skew"])), out=level)
    paused = np.flatnonzero(~active)
    for block in paused.tolist():
        level[:, block * length : (block + 1) * length] = 0.0  # below everything else: not counted
    excluded = length * len(paused) - (max(0, len(active) * length - samples) if not active[-1] else 0)
    size = (samples - excluded) * len(waveform)
    above = min(max(1, round(params["share"] * size)), size - 1)
    peak = float(level.max())
    ceiling = _kth_largest(level.ravel(), above)
    if ceiling >= peak:  # a plateau (audio that was clipped before): cut just below it
        below = level[level < peak]
        ceiling = float(below.max()) if below.size else 0.0
    return ceiling if ceiling > 0 else None


def _kth_largest(values: np.ndarray, above: int) -> float:
    """The value of ``[N]`` that ``above`` others exceed or equal; only a few candidates are sorted."""
    sparse = np.sort(values[::_SPARSE])
    expected = above / _SPARSE
    rank = len(sparse) - 1 - int(expected + 4 * np.sqrt(expected) + 4)  # rarely too high
    if rank > 0:
        top = values[values > sparse[rank]]
        if len(top) > above:
            return float(np.partition(top, len(top) - 1 - above)[len(top) - 1 - above])
    return float(np.partition(values, len(values) - 1 - above)[len(values) - 1 - above])
