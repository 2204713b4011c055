"""The one window policy of the package: equal windows at a fixed hop, the last one aligned with the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


def starts(samples: int, window: int, hop: int) -> np.ndarray:
    """First samples of the windows over a signal, int64 [N], N >= 1.

    Windows begin every ``hop`` samples as long as they fit; where a rest remains, one more ends with the signal. A
    signal shorter than ``window`` has one window, which is the whole signal.

    >>> starts(10, 4, 2).tolist(), starts(11, 4, 2).tolist(), starts(3, 4, 2).tolist()
    ([0, 2, 4, 6], [0, 2, 4, 6, 7], [0])
    """
    if samples <= window:
        return np.zeros(1, np.int64)
    regular = np.arange(0, samples - window + 1, hop, dtype=np.int64)
    return regular if regular[-1] == samples - window else np.append(regular, samples - window)


def stream(blocks: Iterable[tuple[int, np.ndarray]], window: int, hop: int) -> Iterator[tuple[int, np.ndarray]]:
    """The windows of :func:`starts`, cut from streamed blocks ``(start, [C, n])``: ``(start, [C, window])``.

    Holds one window and one block at a time, so memory is flat in the length of the signal. Positions are the blocks'.
    """
    kept: np.ndarray | None = None  # the tail of what came so far: at least the last `window` samples
    at = due = 0  # position of kept[:, 0]; position of the next regular window
    last = -1
    for start, block in blocks:
        if kept is None:
            kept, at, due = block, start, start
        else:
            kept = np.concatenate([kept, block], axis=1)
        end = at + kept.shape[1]
        while due + window <= end:
            yield due, kept[:, due - at : due - at + window]
            last, due = due, due + hop
        drop = max(0, min(due, end - window) - at)
        kept, at = kept[:, drop:], at + drop
    if kept is None:
        return
    end = at + kept.shape[1]
    if last < 0 or last + window < end:
        first = max(at, end - window)
        yield first, kept[:, first - at :]
