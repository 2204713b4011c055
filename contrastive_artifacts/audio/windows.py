"""The window policy of the package: windows of equal length at a fixed hop, the last one aligned with the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .mixing import channel_or_mix


class Window(NamedTuple):
    """A window of a signal, and the signal around it."""

    start: int  # first sample of the window
    samples: np.ndarray  # [C, T]
    context: np.ndarray  # [C, T'], T' >= T, the window in it; the same object for windows that share a context


def starts(samples: int, window: int, hop: int) -> np.ndarray:
    """Index of the first sample of each window of a signal, int64 [N], N >= 1.

    Windows start every ``hop`` samples as long as they fit; if samples remain, one more window ends with the signal. A
    signal shorter than ``window`` has one window, which is the whole signal.

    >>> starts(10, 4, 2).tolist(), starts(11, 4, 2).tolist(), starts(3, 4, 2).tolist()
    ([0, 2, 4, 6], [0, 2, 4, 6, 7], [0])
    """
    if samples <= window:
        return np.zeros(1, np.int64)
    regular = np.arange(0, samples - window + 1, hop, dtype=np.int64)
    return regular if regular[-1] == samples - window else np.append(regular, samples - window)


def context_of(start: int, window: int, hop: int, context: int, first: int, end: int) -> tuple[int, int]:
    """``[start, stop)`` of the context of a window in a signal of the samples ``[first, end)``.

    Neighbouring windows share a context of ``context`` samples and lie in its middle half: as many as start within half
    of what it is longer than a window, two for a hop of half a window and a context of two. At the ends of the signal
    the context is moved inside; where the signal is shorter, it is the context.

    >>> [context_of(start, 4, 2, 8, 0, 20) for start in (0, 2, 4, 6, 12, 14, 16)]
    [(0, 8), (0, 8), (3, 11), (3, 11), (11, 19), (11, 19), (12, 20)]
    """
    context = max(window, context)
    begin = max(_begin(start, window, hop, context, first), start + window - context)
    begin = max(first, min(begin, end - context))
    return begin, min(end, begin + context)


def cut(waveform: np.ndarray, window: int, hop: int, context: int = 0) -> list[Window]:
    """The windows of a signal [C, T], see :func:`starts` and :func:`context_of`."""
    return list(stream([(0, waveform)], window, hop, context))


def mixed(cuts: Sequence[Window], channel: int | None = None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Windows and their contexts as mono [T], of one channel or mixed; shared contexts are mixed once, and shared."""
    samples = [channel_or_mix(cut.samples, channel) for cut in cuts]
    contexts: list[np.ndarray] = []
    for number, cut in enumerate(cuts):
        if cut.context.shape == cut.samples.shape:
            contexts.append(samples[number])
        elif number > 0 and cut.context is cuts[number - 1].context:
            contexts.append(contexts[-1])
        else:
            contexts.append(channel_or_mix(cut.context, channel))
    return samples, contexts


def stream(blocks: Iterable[tuple[int, np.ndarray]], window: int, hop: int, context: int = 0) -> Iterator[Window]:
    """The windows of :func:`starts`, cut from consecutive blocks ``(start, [C, n])``.

    Holds two contexts and one block at a time, so memory does not grow with the length of the signal. Window positions
    count from the same origin as block positions.

    Args:
        blocks: The signal.
        window, hop: In samples.
        context: Length of the contexts in samples, see :func:`context_of`; that of a window where it is not longer.
    """
    buffer: np.ndarray | None = None  # the end of the signal so far
    origin = first = due = 0  # position of the signal; of buffer[:, 0]; of the next regular window
    last, context = -1, max(window, context)
    latest = (0, 0), np.zeros((1, 0), np.float32)  # where the latest context lies, and its samples

    def window_at(start: int, end: int) -> Window:
        nonlocal latest
        assert buffer is not None
        place = context_of(start, window, hop, context, origin, end)
        if place != latest[0]:
            latest = place, buffer[:, place[0] - first : place[1] - first]
        return Window(start, buffer[:, start - first : start - first + window], latest[1])

    for position, block in blocks:
        if buffer is None:
            buffer, origin, first, due = block, position, position, position
        else:
            buffer = np.concatenate([buffer, block], axis=1)
        end = first + buffer.shape[1]
        while _begin(due, window, hop, context, origin) + context <= end:
            yield window_at(due, end)
            last, due = due, due + hop
        drop = max(0, min(_begin(due, window, hop, context, origin), end - context) - first)
        buffer, first = buffer[:, drop:], first + drop
    if buffer is None:
        return
    end = first + buffer.shape[1]
    while due + window <= end:
        yield window_at(due, end)
        last, due = due, due + hop
    if last < 0 or last + window < end:
        yield window_at(max(origin, end - window), end)


def _begin(start: int, window: int, hop: int, context: int, first: int) -> int:
    """First sample of the context of a window in a signal from ``first`` on that does not end."""
    reach = (1 + (context - window) // (2 * hop)) * hop  # windows that start so far apart share a context
    start = first + (start - first) // reach * reach
    return max(first, start + (reach - hop + window - context) // 2)
