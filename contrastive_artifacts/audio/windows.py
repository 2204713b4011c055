"""The window policy of the package: windows of equal length at a fixed hop, the last one aligned with the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


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


def stream(blocks: Iterable[tuple[int, np.ndarray]], window: int, hop: int) -> Iterator[tuple[int, np.ndarray]]:
    """The windows of :func:`starts` as ``(start, [C, window])``, cut from consecutive blocks ``(start, [C, n])``.

    Holds one window and one block at a time, so memory does not grow with the length of the signal. Window positions
    count from the same origin as block positions.
    """
    buffer: np.ndarray | None = None  # the end of the signal so far: at least the last `window` samples
    first = due = 0  # position of buffer[:, 0]; position of the next regular window
    last = -1  # position of the last window
    for start, block in blocks:
        if buffer is None:
            buffer, first, due = block, start, start
        else:
            buffer = np.concatenate([buffer, block], axis=1)
        end = first + buffer.shape[1]
        while due + window <= end:
            yield due, buffer[:, due - first : due - first + window]
            last, due = due, due + hop
        drop = max(0, min(due, end - window) - first)
        buffer, first = buffer[:, drop:], first + drop
    if buffer is None:
        return
    end = first + buffer.shape[1]
    if last < 0 or last + window < end:
        start = max(first, end - window)
        yield start, buffer[:, start - first :]
