"""The channels of a sound, to be seen and heard apart."""

from __future__ import annotations

import numpy as np

from ...core.errors import ParameterError

ALL, MID, SIDE = "all", "mid", "side"


def chosen(waveform: np.ndarray, channel: str) -> np.ndarray:
    """One channel of a waveform, its mid or its side.

    Args:
        waveform: float32 [C, T].
        channel: "all", a number from "1", or of two channels "mid", (L + R) / 2, and "side", (L - R) / 2.

    Returns:
        float32 [C, T] of "all", else [1, T].

    Raises:
        ParameterError: the waveform has no such channel.
    """
    if channel == ALL:
        return waveform
    if channel in (MID, SIDE) and len(waveform) == 2:
        left, right = waveform[:1], waveform[1:]
        return ((left + right if channel == MID else left - right) / 2).astype(np.float32)
    if channel.isdecimal() and 1 <= int(channel) <= len(waveform):
        return waveform[int(channel) - 1 : int(channel)]
    known = ", ".join([ALL, *([MID, SIDE] if len(waveform) == 2 else []), *map(str, range(1, len(waveform) + 1))])
    raise ParameterError(f"channel={channel!r}: this sound has {known}.")


def names(channels: int) -> list[list[str]]:
    """What :func:`chosen` takes and its name for people: none of a sound of one channel."""
    if channels < 2:
        return []
    if channels == 2:
        return [[ALL, "L and R"], ["1", "left"], ["2", "right"], [MID, "mid"], [SIDE, "side"]]
    return [[ALL, "all"], *([str(n), f"channel {n}"] for n in range(1, channels + 1))]
