"""All figures of a window at its native rate, which a :class:`.figure_encoder.FigureEncoder` takes, not its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import audio
from ..core import memory
from .backbones import Backbone
from .detail import NativeDetail, numpy_detail
from .detail.bands import BANDS, log_bands
from .detail.bands import VERSION as BANDS_VERSION
from .detail.clip import CLIP_FIGURES
from .detail.figures import FRAME_S, Array
from .encoder import pool
from .slow import SLOW_FIGURES, slow_figures
from .slow import VERSION as SLOW_VERSION
from .traces import TRACE_FIGURES, trace_figures
from .traces import VERSION as TRACES_VERSION

LARGEST = 6e4  # a frame's figures are stored in half precision
AT_ONCE = 4  # windows that the backbone gets at once: more do not fit into the cache
FRAME_SIZES: Mapping[str, int] = {"frames": NativeDetail.features, "bands": BANDS}
WINDOW_SIZES: Mapping[str, int] = {"window": CLIP_FIGURES, "slow": len(SLOW_FIGURES), "traces": len(TRACE_FIGURES)}
VERSIONS: Mapping[str, int | str] = {
    "bands": BANDS_VERSION, "detail": 2, "resampler": audio.RESAMPLER, "slow": SLOW_VERSION, "traces": TRACES_VERSION,
}  # fmt: skip


class Figures(NamedTuple, Generic[Array]):
    """The figures of B windows; of a single window, without the first axis."""

    frames: Array  # [B, N, 16], detail figures of N frames of FRAME_S seconds
    bands: Array  # [B, N, 80], their log energies by band
    window: Array  # [B, 28], detail figures of the window
    slow: Array  # [B, 67], of the context of the window
    traces: Array  # [B, 40]
    backbone: Array  # [B, 3 D], mean, maximum and deviation of the frames of a frozen network; [B, 0] without one


def frame_count(seconds: float) -> int:
    """Whole frames of FRAME_S in a window."""
    return int(seconds / FRAME_S + 1e-6)


def window_figures(
    waveforms: Sequence[np.ndarray], sample_rate: int, seconds: float, backbone: Backbone | None = None,
    contexts: Sequence[np.ndarray] | None = None,
) -> Figures[np.ndarray]:  # fmt: skip
    """The figures of B >= 1 windows of equal length.

    Args:
        waveforms: Mono float32 ``[T]``, finite, at least 1.5 s long.
        sample_rate: Their rate in Hz, 8-192 kHz.
        seconds: Nominal length, which gives the number of frames at every rate.
        backbone: Frozen network whose pooled frames are further figures; it gets the waveforms at its own rate.
        contexts: Each of them with the sound around it, mono float32 of any lengths, of which the slow figures are
            taken; by default the windows themselves. Neighbours may share one: the same array.

    Raises:
        AudioError: a window is too short or not finite.
    """
    memory.keep_freed()
    count = frame_count(seconds)
    details = [numpy_detail(row[None], sample_rate) for row in waveforms]
    return Figures(
        frames=np.concatenate([detail.frames for detail in details])[:, :count].clip(-LARGEST, LARGEST),
        bands=np.stack([log_bands(row, sample_rate)[:count] for row in waveforms]),
        window=np.concatenate([detail.clip for detail in details]),
        slow=_slow(contexts or waveforms, sample_rate),
        traces=np.stack([trace_figures(row, sample_rate) for row in waveforms]),
        backbone=backbone_figures(waveforms, sample_rate, backbone),
    )


def _slow(contexts: Sequence[np.ndarray], sample_rate: int) -> np.ndarray:
    """Slow figures ``[B, 67]``, computed once where windows share their context."""
    rows: list[np.ndarray] = []
    for number, context in enumerate(contexts):
        is_shared = number > 0 and context is contexts[number - 1]
        rows.append(rows[-1] if is_shared else slow_figures(context, sample_rate))
    return np.stack(rows)


def backbone_figures(waveforms: Sequence[np.ndarray], sample_rate: int, backbone: Backbone | None) -> np.ndarray:
    """Mean, maximum and deviation of the frames of a frozen network, ``[B, 3 D]``; ``[B, 0]`` without one."""
    if backbone is None:
        return np.zeros((len(waveforms), 0), np.float32)
    pooled = []
    for first in range(0, len(waveforms), AT_ONCE):
        group = waveforms[first : first + AT_ONCE]
        resampled = np.stack([audio.resample(row, sample_rate, backbone.sample_rate) for row in group])
        with torch.inference_mode():
            pooled.append(pool(backbone(torch.from_numpy(resampled)).frames).numpy())
    return np.concatenate(pooled)


def batched(figures: Sequence[Figures[np.ndarray]]) -> Figures[Tensor]:
    """Single windows, all with as many frames, as a batch in single precision."""
    return Figures(*(torch.from_numpy(np.stack(parts).astype(np.float32)) for parts in zip(*figures, strict=True)))
