"""Missing: dropouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, log_uniform, merge
from ..dsp.places import sounding
from ..fields import SEED, Field, Number


@dataclass(frozen=True)
class Dropout(Artifact):
    """Digital audio dropout: gaps of exact zeros, equal in all channels, with sharp edges or short fades.

    ``share`` of the clip is lost, in gaps of about ``gap_ms``, including their fades of ``fade_ms``. The middle of a
    gap lies where there is sound, if there is enough of it; that of one gap at least always does.
    """

    name: ClassVar[str] = "dropout"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Digital Audio Dropout", "gap", "mute", "sample loss", "lost samples")
    scale: ClassVar[str] = "share of the time that is lost, .5 .. 15 %, in gaps of 5-200 ms"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "share": Number(0.005, 0.15),
        "gap_ms": Number(5, 200, "ms"),
        "fade_ms": Number(0, 3, "ms"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        sharp, fade_ms = rng.random() < 0.6, float(rng.uniform(0.5, 3))
        single, gap_ms = rng.random() < 0.25, log_uniform(rng, 5, 200)
        return {
            "seed": draw_seed(rng),
            "share": geometric(severity, 0.005, 0.15),
            "gap_ms": 200.0 if single else gap_ms,
            "fade_ms": 0.0 if sharp else fade_ms,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        gaps = _gaps(waveform, sample_rate, params)
        out = waveform.copy()
        longest = round(params["fade_ms"] * 1e-3 * sample_rate)
        fall = _fall(longest)
        for start, stop in gaps.tolist():
            fade = min(longest, (stop - start) // 4)
            out[:, start + fade : stop - fade] = 0.0
            if fade:
                gain = fall if fade == longest else _fall(fade)
                out[:, start : start + fade] *= gain
                out[:, stop - fade : stop] *= gain[::-1]
        return out, gaps


def _fall(length: int) -> np.ndarray:
    """Raised cosine from 1 to 0, both excluded: float32 ``[length]``."""
    return (0.5 + 0.5 * np.cos(np.pi * np.arange(1, length + 1) / (length + 1))).astype(np.float32)


def _gaps(waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """The gaps, int64 ``[K, 2]``."""
    rng = seeding.generator(params["seed"], "dropout")
    samples = waveform.shape[-1]
    length = _gap_lengths(samples, sample_rate, params, rng)
    active, block = sounding(waveform, sample_rate)
    centre = _place(samples, block, active, length, rng)
    # np.minimum and np.maximum are faster than np.clip on a few gaps.
    start = np.maximum(np.minimum(np.rint(centre - length / 2).astype(np.int64), samples - length), 0)
    if not active[np.minimum(centre / block, len(active) - 1).astype(np.int64)].any():
        loudest = block * int(np.flatnonzero(active)[rng.integers(active.sum())]) + block // 2
        nearest = int(np.argmin(np.abs(centre - loudest)))
        start[nearest] = max(0, min(loudest - length[nearest] // 2, samples - length[nearest]))
    order = np.argsort(start, kind="stable")
    return merge(start[order], (start + length)[order])


def _gap_lengths(samples: int, sample_rate: int, params: Params, rng: np.random.Generator) -> np.ndarray:
    """Lengths in samples ``[K]``, 5-200 ms and at most half the clip each; their sum is ``share`` of the clip."""
    low, high = 0.005 * sample_rate, 0.2 * sample_rate
    total = params["share"] * samples
    count = max(1, round(total / (params["gap_ms"] * 1e-3 * sample_rate)))
    if total > high:  # more gaps, so that unequal lengths stay below the greatest one
        count = max(count, int(np.ceil(total / (0.75 * high))))
    count = max(1, min(count, int(total / low)))
    length = np.exp(rng.normal(0, 0.5, count))
    for _ in range(4):  # clipping to the range changes the total: the other lengths are rescaled
        length = np.minimum(np.maximum(length * total / length.sum(), low), high)
    return np.minimum(np.maximum(np.rint(length), 1), max(1, samples // 2)).astype(np.int64)


def _place(samples: int, block: int, active: np.ndarray, length: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Centres ``[K]`` of gaps that do not overlap, drawn on a time axis on which pauses are shortened or left out."""
    edge = np.arange(len(active) + 1) * block
    edge[-1] = samples
    size = edge[1:] - edge[:-1]
    sound = int(size[active].sum())
    pause = samples - sound
    room = min(float(samples), 2.0 * float(length.sum()))  # length of that axis: enough to scatter the gaps
    pause_rate = min(1.0, max(0.0, (room - sound) / pause)) if pause else 0.0
    axis = np.zeros(len(edge))
    np.cumsum(np.where(active, 1.0, pause_rate) * size, out=axis[1:])
    free = np.sort(rng.random(len(length))) * max(0.0, axis[-1] - length.sum())
    # No interval is longer on this axis than in the clip: gaps that are apart on it are apart in the clip.
    centre = free + np.cumsum(length) - length / 2
    lasting = np.flatnonzero(axis[1:] > axis[:-1])
    nth = np.searchsorted(axis[lasting], centre, side="right") - 1
    which = lasting[np.minimum(np.maximum(nth, 0), len(lasting) - 1)]
    inside = np.minimum((centre - axis[which]) / (axis[which + 1] - axis[which]), 1.0)
    return edge[which] + inside * (edge[which + 1] - edge[which])
