"""A clip block by block, as often as measures go over it: memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from ... import audio
from ..corpora import Clip, Corpus

BLOCK = 1 << 20  # samples; a shorter clip is decoded once and kept


class Blocks:
    """The samples of a clip in blocks float32 ``[C, n]``; each iteration begins at the first one.

    Args:
        rate: Hz.
        channels: C.
        begin: Gives the blocks from the first one on, at every call.
    """

    def __init__(self, rate: int, channels: int, begin: Callable[[], Iterable[np.ndarray]]) -> None:
        self.rate, self.channels, self._begin = rate, channels, begin

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self._begin())

    def head(self, seconds: float) -> np.ndarray:
        """The first seconds, ``[C, n]``; all of a shorter clip."""
        wanted, parts = int(seconds * self.rate), []
        for block in self:
            parts.append(block[:, :wanted])
            wanted -= parts[-1].shape[1]
            if not wanted:
                break
        return np.concatenate(parts, axis=1)


def of_waveform(waveform: np.ndarray, sample_rate: int, length: int = BLOCK) -> Blocks:
    """The blocks of a waveform ``[C, T]``."""
    starts = range(0, waveform.shape[1], length)
    return Blocks(int(sample_rate), len(waveform), lambda: (waveform[:, start : start + length] for start in starts))


def of_clip(corpus: Corpus, clip: Clip) -> Blocks:
    """The blocks of a clip; a long file is decoded anew for each iteration.

    Raises:
        AudioError, CorpusError: it cannot be loaded; of a file, also while its blocks are read.
    """
    if clip.path is None:
        return of_waveform(*corpus.load(clip))
    file = audio.MediaFile(clip.path)
    info = file.info
    head = [block for _, block in islice(file.blocks(BLOCK), 2)]
    if len(head) == 1:
        return Blocks(info.sample_rate, info.channels, lambda: head)
    return Blocks(info.sample_rate, info.channels, lambda: (block for _, block in file.blocks(BLOCK)))


class Carry:
    """Joins blocks ``[..., n]`` and gives out pieces of a whole number of steps.

    Args:
        step: Samples.
        overlap: Samples that a piece has beyond its steps; the next piece begins with them.
    """

    def __init__(self, step: int, overlap: int = 0) -> None:
        self._step, self._overlap = step, overlap
        self.rest: np.ndarray | None = None

    def add(self, block: np.ndarray) -> np.ndarray:
        """The next piece; of length 0 while there is not a whole step. What is left over is ``rest``."""
        joined = block if self.rest is None else np.concatenate([self.rest, block], axis=-1)
        steps = max(0, joined.shape[-1] - self._overlap) // self._step * self._step
        self.rest = joined[..., steps:].copy()
        return joined[..., : steps + self._overlap if steps else 0]


class Runs:
    """Finds the runs of True in a mask that is given piece by piece; positions count from its beginning.

    Attributes:
        open: Start of the run that the mask so far ends with, or None.
    """

    def __init__(self) -> None:
        self.open: int | None = None
        self._position = 0

    def add(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and stops of the runs that have ended, each run once."""
        edges = np.flatnonzero(np.diff(mask.view(np.int8), prepend=np.int8(self.open is not None))) + self._position
        if self.open is not None:
            edges = np.concatenate([[self.open], edges])
        self.open = int(edges[-1]) if edges.size % 2 else None
        self._position += mask.size
        return edges[: edges.size - 1 : 2], edges[1::2]

    def skip(self, samples: int) -> None:
        """Goes on by so many samples of False; there must be no open run."""
        self._position += samples

    def end(self) -> tuple[np.ndarray, np.ndarray]:
        """The run that the mask ends with, if there is one."""
        return self.add(np.zeros(1, bool))
