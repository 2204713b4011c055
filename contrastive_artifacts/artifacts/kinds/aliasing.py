"""Nonlinear: aliasing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import soxr

from ..base import Artifact, Params, geometric, pick, whole
from ..fields import Choice, Field, Number

_BLOCK = 1 << 15  # samples read at a time: their indices fit in the cache
_FULL_RATE = 32000.0  # at lower sample rates of the clip, the effective rate is lowered in proportion


@dataclass(frozen=True)
class Aliasing(Artifact):
    """Resampling without an anti-aliasing filter: frequencies above half the new rate are mirrored below it.

    The wave is resampled by cubic interpolation at ``rate_hz`` (multiplied by sample rate / 32 kHz below 32 kHz), so
    that a tone at f above half of it becomes one at rate - f. ``images`` is the way back to the clip's sample rate:
    ``hold`` (nearest value: strong images, as in early samplers), ``linear`` (linear interpolation: weaker images) or
    ``none`` (a reconstruction filter: aliases without images).
    """

    name: ClassVar[str] = "aliasing"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = ("foldover", "sample rate reduction", "downsampling", "decimation", "aliased")
    scale: ClassVar[str] = "effective sample rate, 16 .. 5 kHz (lower in proportion for clips below 32 kHz)"
    fields: ClassVar[Mapping[str, Field]] = {
        "rate_hz": Number(5000, 16000, "Hz"),
        "images": Choice(("hold", "linear", "none")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        images = pick(rng, {"hold": 0.35, "linear": 0.3, "none": 0.35})
        return {"rate_hz": geometric(severity, 16000, 5000), "images": images}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        ratio = effective_rate(params["rate_hz"], sample_rate) / sample_rate
        resampled = _resampled(waveform, 1 / ratio, int((samples - 1) * ratio) + 2)
        out = np.empty_like(waveform)
        for row, values in zip(out, resampled, strict=True):
            {"hold": _hold, "linear": _interpolate, "none": _reconstruct}[params["images"]](values, ratio, row)
        return out, whole(waveform)


def effective_rate(rate_hz: float, sample_rate: int) -> float:
    """The rate in Hz to which a clip of this sample rate is resampled."""
    return rate_hz * min(1.0, sample_rate / _FULL_RATE)


def _resampled(waveform: np.ndarray, step: float, count: int) -> np.ndarray:
    """The wave at the positions 0, ``step``, 2 ``step`` ... in samples, by Catmull-Rom cubics: ``[C, count]``.

    Beyond the ends of the clip it has its end values.
    """
    last = waveform.shape[-1] - 1
    out = np.empty((len(waveform), count), dtype=np.float32)
    for row, channel in zip(out, waveform, strict=True):
        for start in range(0, count, _BLOCK):
            position = np.arange(start, min(start + _BLOCK, count)) * step
            np.minimum(position, last, out=position)
            index = position.astype(np.intp)
            t = (position - index).astype(np.float32)
            ahead, behind = int(index[0] == 0), max(0, int(index[-1]) + 2 - last)
            near = channel[max(0, int(index[0]) - 1) : int(index[-1]) + 3]
            near = np.concatenate([near[:ahead], near, np.full(behind, channel[last])])
            index -= index[0]
            a, b, c, d = (near[shift:].take(index) for shift in range(4))
            c -= b
            d -= b
            a -= b
            # b + t / 2 (c - a + t (2a + 4c - d + t (d - a - 3c))), where a, c and d are relative to b
            cubic = d - a
            cubic -= 3 * c
            cubic *= t
            cubic += 2 * a
            cubic += 4 * c
            cubic -= d
            cubic *= t
            cubic += c
            cubic -= a
            cubic *= t
            cubic *= np.float32(0.5)
            np.add(cubic, b, out=row[start : start + len(b)])
    return out


def _hold(values: np.ndarray, ratio: float, out: np.ndarray) -> None:
    """Writes to ``out`` the nearest of the ``values``."""
    edges = np.ceil((np.arange(1, len(values)) - 0.5) / ratio).astype(np.intp)
    np.minimum(edges, len(out), out=edges)
    out[:] = np.repeat(values, np.diff(edges, prepend=0, append=len(out)))


def _interpolate(values: np.ndarray, ratio: float, out: np.ndarray) -> None:
    """Writes to ``out`` linear interpolation between the ``values``."""
    rise = np.diff(values)
    steps = np.arange(min(_BLOCK, len(out))) * ratio
    for start in range(0, len(out), _BLOCK):
        part = out[start : start + _BLOCK]
        position = steps[: len(part)] + start * ratio
        index = position.astype(np.intp)
        position -= index
        np.multiply(rise.take(index), position, out=part, casting="same_kind")
        part += values.take(index)


def _reconstruct(values: np.ndarray, ratio: float, out: np.ndarray) -> None:
    """Writes to ``out`` the ``values`` after a low-pass at half their rate; the last one is repeated a few times."""
    out[:] = soxr.resample(np.concatenate([values, np.full(4, values[-1])]), ratio, 1.0, quality="MQ")[: len(out)]
