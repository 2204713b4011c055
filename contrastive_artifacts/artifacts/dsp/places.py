"""Where the single events of a fault lie: at sound, apart from each other, and at the same places at every severity."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from .levels import active_blocks

_BLOCK_S = 0.01
_ACTIVE_DB = 30.0  # an event in what lies further below the loudest block would hardly be heard
_TIME_BLOCK_S = 0.05
_TIME_ACTIVE_DB = 40.0


def sounding(waveform: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    """Which blocks of 10 ms of ``[C, T]`` hold sound (all of them in silence), bool ``[N]``, and their length."""
    block = max(1, int(_BLOCK_S * sample_rate))
    return active_blocks(waveform, block, below_db=_ACTIVE_DB), block


def draw_places(
    waveform: np.ndarray, sample_rate: int, count: int, apart: float, rng: np.random.Generator
) -> np.ndarray:
    """Draws samples at which there is sound.

    Args:
        waveform: ``[C, T]``.
        sample_rate: Hz.
        count: how many are wanted, 1 or more.
        apart: least distance between two of them, in samples; those that fall closer are left out.
        rng: a longer draw from an equal generator begins with the same places.

    Returns:
        int64 ``[K]``, sorted, each in [0, T), with 1 <= K <= count.
    """
    active, block = sounding(waveform, sample_rate)
    blocks, draw = np.flatnonzero(active), rng.random((count, 2))
    drawn = blocks[(draw[:, 0] * len(blocks)).astype(np.int64)] * block + (draw[:, 1] * block).astype(np.int64)
    taken: list[int] = []
    for place in np.minimum(drawn, waveform.shape[-1] - 1).tolist():
        at = bisect_left(taken, place)
        if (at == 0 or place - taken[at - 1] >= apart) and (at == len(taken) or taken[at] - place >= apart):
            taken.insert(at, place)
    return np.array(taken, dtype=np.int64)


def event_count(samples: int, sample_rate: int, rate_hz: float, length: float, most: float) -> int:
    """Events of ``length`` samples at ``rate_hz``: one or more, and together at most the share ``most`` of it."""
    return max(1, min(round(rate_hz * samples / sample_rate), int(most * samples / max(1.0, length))))


def sounding_time(waveform: np.ndarray, sample_rate: int, share: np.ndarray) -> np.ndarray:
    """Sample positions, int64, before which a ``share`` (0 to 1, any shape) of the time that sounds has gone by.

    0 and 1 are the ends of the clip; in silence all of the time counts.
    """
    samples = waveform.shape[-1]
    length = max(1, round(_TIME_BLOCK_S * sample_rate))
    active = np.flatnonzero(active_blocks(waveform, length, _TIME_ACTIVE_DB))
    size = np.minimum(length, samples - active * length)
    ends = np.cumsum(size)
    wanted = share * ends[-1]
    which = np.minimum(np.searchsorted(ends, wanted, side="right"), len(ends) - 1)
    position = active[which] * length + np.round(wanted - (ends[which] - size[which])).astype(np.int64)
    position = np.where(share <= 0, 0, np.where(share >= 1, samples, position))
    return np.clip(position, 0, samples).astype(np.int64)
