"""Missing: dropouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import seeding
from .base import Artifact, Params, draw_seed, geometric, log_uniform, merge
from .fields import SEED, Field, Number
from .levels import active_blocks

_BLOCK_S = 0.01
_ACTIVE_DB = 30.0  # a gap in what lies further below the loudest block would hardly be heard


@dataclass(frozen=True)
class Dropout(Artifact):
    """Digital audio dropout: gaps of exact zeros, equal in all channels, with sharp edges or short fades.

    ``share`` of the clip is lost, in gaps of about ``gap_ms``; a gap holds its fades of ``fade_ms`` inside it. The
    middle of a gap lies where there is sound, as long as there is enough of it, and at least one gap always does.
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
        samples = waveform.shape[-1]
        gaps = _gaps(waveform, sample_rate, params)
        edges = np.zeros(samples + 1, dtype=np.int8)
        edges[gaps[:, 0]] += 1
        edges[gaps[:, 1]] -= 1
        silent = np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
        out = waveform.copy()
        out[:, silent] = 0.0
        fade = np.minimum(round(params["fade_ms"] * 1e-3 * sample_rate), (gaps[:, 1] - gaps[:, 0]) // 4)
        if len(fade) and fade.max() > 0:
            step = np.arange(int(fade.max()))
            inside = step < fade[:, None]
            gain = (0.5 + 0.5 * np.cos(np.pi * (step + 1) / (fade[:, None] + 1)))[inside].astype(np.float32)
            for where in ((gaps[:, :1] + step)[inside], (gaps[:, 1:] - 1 - step)[inside]):
                out[:, where] = waveform[:, where] * gain
        return out, gaps


def _gaps(waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """The gaps, int64 ``[K, 2]``."""
    rng = seeding.generator(params["seed"], "dropout")
    samples = waveform.shape[-1]
    length = _gap_lengths(samples, sample_rate, params, rng)
    block = max(1, int(_BLOCK_S * sample_rate))
    active = active_blocks(waveform, block, below_db=_ACTIVE_DB)
    centre = _place(samples, block, active, length, rng)
    start = np.clip(np.round(centre - length / 2).astype(np.int64), 0, samples - length)
    if not active[np.minimum(centre / block, len(active) - 1).astype(np.int64)].any():
        loudest = block * int(np.flatnonzero(active)[rng.integers(active.sum())]) + block // 2
        nearest = int(np.argmin(np.abs(centre - loudest)))
        start[nearest] = np.clip(loudest - length[nearest] // 2, 0, samples - length[nearest])
    order = np.argsort(start, kind="stable")
    return merge(start[order], (start + length)[order])


def _gap_lengths(samples: int, sample_rate: int, params: Params, rng: np.random.Generator) -> np.ndarray:
    """``[K]`` lengths in samples, 5-200 ms each, that add up to the share; never more than half of a short clip."""
    low, high = 0.005 * sample_rate, 0.2 * sample_rate
    total = params["share"] * samples
    count = max(1, round(total / (params["gap_ms"] * 1e-3 * sample_rate)))
    if total > high:  # room for gaps of unequal length under the longest one allowed
        count = max(count, int(np.ceil(total / (0.75 * high))))
    count = max(1, min(count, int(total / low)))
    weight = np.exp(rng.normal(0, 0.5, count))
    length = weight
    for _ in range(4):  # clipping to the range takes from the total what the others then give back
        length = np.clip(length * total / length.sum(), low, high)
    return np.clip(np.round(length), 1, max(1, samples // 2)).astype(np.int64)


def _place(samples: int, block: int, active: np.ndarray, length: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Centres ``[K]`` of gaps that do not overlap: drawn on a time axis on which pauses are short or absent."""
    size = np.minimum(block, samples - block * np.arange(len(active)))
    sound, pause = int(size[active].sum()), int(size[~active].sum())
    room = min(float(samples), 2.0 * float(length.sum()))  # how long that axis must be for the gaps to scatter on it
    pause_rate = min(1.0, max(0.0, (room - sound) / pause)) if pause else 0.0
    axis = np.concatenate([[0.0], np.cumsum(np.where(active, 1.0, pause_rate) * size)])
    free = np.sort(rng.random(len(length))) * max(0.0, axis[-1] - length.sum())
    # No stretch of the axis is longer than the real time it stands for: gaps apart on it are apart in the clip.
    centre = free + np.cumsum(length) - length / 2
    edge = np.append(block * np.arange(len(active)), samples)
    lasting = np.flatnonzero(np.diff(axis) > 0)
    which = lasting[np.clip(np.searchsorted(axis[lasting], centre, side="right") - 1, 0, len(lasting) - 1)]
    inside = np.minimum((centre - axis[which]) / (axis[which + 1] - axis[which]), 1.0)
    return edge[which] + inside * (edge[which + 1] - edge[which])
