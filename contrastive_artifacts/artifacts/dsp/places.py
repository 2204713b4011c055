"""Positions of the events of an artifact: where there is sound, apart from each other, the same at all severities."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from .levels import active_blocks

_BLOCK_S = 0.01
_ACTIVE_DB = 30.0  # below the loudest block; an event in a quieter block is hardly audible
_TIME_BLOCK_S = 0.05  # of sounding_time
_TIME_ACTIVE_DB = 40.0


def sounding(waveform: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    """Whether each 10 ms of ``[C, T]`` hold sound, bool ``[N]`` (all True in silence), and the length of a block."""
    block = max(1, int(_BLOCK_S * sample_rate))
    return active_blocks(waveform, block, below_db=_ACTIVE_DB), block


def draw_places(
    waveform: np.ndarray, sample_rate: int, count: int, apart: float, rng: np.random.Generator
) -> np.ndarray:
    """Draws sample positions where there is sound.

    Args:
        waveform: ``[C, T]``.
        sample_rate: Hz.
        count: how many to draw, 1 or more.
        apart: least distance between two of them, in samples; positions drawn closer are left out.
        rng: a larger ``count`` with an equal generator starts with the same draws.

    Returns:
        int64 ``[K]``, sorted, each in [0, T), with 1 <= K <= count.
    """
    active, block = sounding(waveform, sample_rate)
    blocks, draw = np.flatnonzero(active), rng.random((count, 2))
    drawn = blocks[(draw[:, 0] * len(blocks)).astype(np.int64)] * block + (draw[:, 1] * block).astype(np.int64)
    places: list[int] = []  # sorted
    for place in np.minimum(drawn, waveform.shape[-1] - 1).tolist():
        at = bisect_left(places, place)
        if (at == 0 or place - places[at - 1] >= apart) and (at == len(places) or places[at] - place >= apart):
            places.insert(at, place)
    return np.array(places, dtype=np.int64)


def event_count(samples: int, sample_rate: int, rate_hz: float, length: float, most: float) -> int:
    """The number of events in a clip of ``samples``, at least 1.

    Args:
        samples, sample_rate: of the clip.
        rate_hz: events per s.
        length: of an event, in samples.
        most: share of the clip that all events together may take, 0 to 1.
    """
    return max(1, min(round(rate_hz * samples / sample_rate), int(most * samples / max(1.0, length))))


def sounding_time(waveform: np.ndarray, sample_rate: int, share: np.ndarray) -> np.ndarray:
    """Sample positions on a time axis without pauses: the position before which a ``share`` of the sound lies.

    Args:
        waveform: ``[C, T]``; blocks of 50 ms that are 40 dB below the loudest one are pauses, unless all is silence.
        sample_rate: Hz.
        share: of any shape, 0 (start of the clip) to 1 (its end).

    Returns:
        int64, of the shape of ``share``, in [0, T].
    """
    samples = waveform.shape[-1]
    length = max(1, round(_TIME_BLOCK_S * sample_rate))
    active = np.flatnonzero(active_blocks(waveform, length, _TIME_ACTIVE_DB))
    size = np.minimum(length, samples - active * length)
    ends = np.cumsum(size)
    sounded = share * ends[-1]
    which = np.minimum(np.searchsorted(ends, sounded, side="right"), len(ends) - 1)
    position = active[which] * length + np.round(sounded - (ends[which] - size[which])).astype(np.int64)
    position = np.where(share <= 0, 0, np.where(share >= 1, samples, position))
    return np.clip(position, 0, samples).astype(np.int64)
