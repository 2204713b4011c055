"""Stretches of a recording: some minutes of windows, the unit that is classified, saved and shared between machines.

The windows of a recording are numbered in the order in which they are cut. Batches begin with the stretch, so a stretch
has the same values whoever classifies it, and whatever was classified before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, groupby, islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from .. import audio
from ..audio import windows
from ..audio.windows import Window
from ..core.errors import StorageError
from .lanes import Lane, Run, SavedEncoder, Signals, WindowClassifier, classify, classify_differing

STRETCH_S = 600.0
BATCH = 32
Channels = Literal["mix", "each", "auto"]
CHANNELS = get_args(Channels)
Blocks = Iterable[tuple[int, np.ndarray]]


@dataclass(frozen=True)
class Stretch:
    """What an encoder says of n consecutive windows of a run of data between two gaps.

    Attributes:
        run: Number of the run in the recording.
        first: Number of the first window in the recording.
        stop: End of the last window, in samples.
        starts: First sample of each window, int64 [n].
        cancels: Whether the channels of each window cancel each other in their mean, bool [n].
        probabilities, severities: float32 [lanes, n, K].
        cells: uint8 [lanes, n, cells, K - 1], see :class:`.lanes.Lane`; without cells for encoders that have none.
    """

    run: int
    first: int
    stop: int
    starts: np.ndarray
    cancels: np.ndarray
    probabilities: np.ndarray
    severities: np.ndarray
    cells: np.ndarray


@dataclass(frozen=True)
class Hearing:
    """How windows are classified.

    Attributes:
        encoder: Classifies them.
        rate: Of the recording, Hz.
        channels: The lanes: numbers of channels, or None for the mix. A channel after the mix is classified where it
            differs from it.
        batch: Windows that the encoder gets at once.
    """

    encoder: WindowClassifier
    rate: int
    channels: Sequence[int | None]
    batch: int = BATCH

    @property
    def window(self) -> int:
        """Length of a window in samples."""
        return max(1, round(self.encoder.window_s * self.rate))

    @property
    def hop(self) -> int:
        """Samples from one window to the next."""
        return max(1, round(self.encoder.hop_s * self.rate))

    @property
    def context(self) -> int:
        """Length of the context of a window in samples; that of a window for encoders that use none."""
        encoder = self.encoder
        seconds = encoder.context_s if isinstance(encoder, SavedEncoder) else encoder.window_s
        return round(seconds * self.rate)

    @property
    def length(self) -> int:
        """Windows in a stretch: whole batches."""
        return max(1, round(STRETCH_S / self.encoder.hop_s / self.batch)) * self.batch


def lanes(channels: Channels, number: int) -> list[int | None]:
    """The lanes of a recording of ``number`` channels, see :attr:`Hearing.channels`."""
    each: list[int | None] = list(range(number))
    if channels == "each":
        return each
    return [None, *each] if channels == "auto" and number > 1 else [None]


def pieces(runs: Iterable[Blocks], hearing: Hearing) -> Iterator[tuple[int, int, Iterator[Window]]]:
    """Number of the run and of the first window, and the windows of each stretch, all to be used before the next."""
    numbers = count()
    for run, blocks in enumerate(runs):
        items = zip(windows.stream(blocks, hearing.window, hearing.hop, hearing.context), numbers, strict=False)
        for item, number in items:
            rest = islice(items, hearing.length - 1)
            yield run, number, chain([item], (other for other, _ in rest))


def heard(
    run: int, first: int, items: Iterable[Window], hearing: Hearing, advanced: Callable[[float], object] | None = None
) -> Stretch:
    """Classifies at least one window.

    Args:
        run, first: Those of the :class:`Stretch`.
        items: Consecutive windows of one run.
        hearing: The encoder and its settings.
        advanced: Is called after each batch with its end in seconds.

    Raises:
        ParameterError: an encoder that returns arrays of other shapes.
    """
    parts, stop = [Lane(channel) for channel in hearing.channels], 0
    starts: list[int] = []
    cancels: list[bool] = []
    items = iter(items)
    while batch := list(islice(items, hearing.batch)):
        mixes: Signals | None = None
        for lane in parts:
            signals = lane.signals(batch)
            if mixes is not None:
                classify_differing(lane, signals, parts[0], mixes, hearing.encoder, hearing.rate)
            else:
                classify(lane, signals, hearing.encoder, hearing.rate)
            mixes = mixes if lane.channel is not None else signals
        starts += [window.start for window in batch]
        cancels += [audio.cancels(window.samples) for window in batch]
        stop = batch[-1].start + batch[-1].samples.shape[1]
        if advanced is not None:
            advanced(stop / hearing.rate)
    none = np.zeros((len(parts), len(starts), 0, 0), np.uint8)
    return Stretch(
        run=run,
        first=first,
        stop=stop,
        starts=np.array(starts, np.int64),
        cancels=np.array(cancels, bool),
        probabilities=np.stack([np.concatenate(lane.probabilities) for lane in parts]),
        severities=np.stack([np.concatenate(lane.severities) for lane in parts]),
        cells=np.stack([np.concatenate(lane.cells) for lane in parts]) if parts[0].cells else none,
    )


def passed(stretch: Stretch, items: Iterable[Window], path: str | Path) -> Stretch:
    """A stretch that was classified before, whose windows are read and left out.

    Raises:
        StorageError: they are other windows.
    """
    if [window.start for window in items] != stretch.starts.tolist():
        raise StorageError(f"What was saved of an earlier scan of {path} does not fit it; delete that and scan again.")
    return stretch


def classify_range(
    path: str | Path,
    encoder: WindowClassifier,
    first: int,
    stop: int,
    channels: Channels = "mix",
    batch: int = BATCH,
    stream: int | str | None = None,
) -> list[Stretch]:
    """Windows ``[first, stop)`` of a recording, cut at stretches and runs; :func:`joined` takes those of all ranges.

    The recording is decoded from its beginning, which takes a tenth of the time at most. Values are equal to those of
    :func:`.scan.scan` where ranges begin and end with stretches (:attr:`Hearing.length` windows), else to rounding.

    Raises:
        AudioError: as :func:`.scan.scan`.
    """
    file = audio.MediaFile(path, stream)
    hearing = Hearing(encoder, file.info.sample_rate, lanes(channels, file.info.channels), batch)
    stretches = []
    for run, number, items in pieces(file.runs(hearing.window), hearing):
        if number >= stop:
            break
        chosen = ((at, item) for at, item in enumerate(items, number) if first <= at < stop)
        begin = next(chosen, None)
        if begin is not None:
            stretches.append(heard(run, begin[0], chain([begin[1]], (item for _, item in chosen)), hearing))
    return stretches


def joined(stretches: Iterable[Stretch], channels: Sequence[int | None]) -> list[Run]:
    """The runs of a recording, of all its stretches in whatever order; ``channels`` are those of :class:`Hearing`.

    Raises:
        StorageError: windows are missing or there twice.
    """
    runs: list[Run] = []
    number = 0
    for _, parts in groupby(sorted(stretches, key=lambda stretch: stretch.first), key=lambda stretch: stretch.run):
        run = Run([Lane(channel) for channel in channels])
        for stretch in parts:
            if stretch.first != number:
                raise StorageError(
                    f"Window {number} is not the next one: there is {stretch.first}; join all stretches."
                )
            number += len(stretch.starts)
            for index, lane in enumerate(run.lanes):
                lane.probabilities.append(stretch.probabilities[index])
                lane.severities.append(stretch.severities[index])
                if stretch.cells.size:
                    lane.cells.append(stretch.cells[index])
            run.starts += stretch.starts.tolist()
            run.cancels += stretch.cancels.tolist()
            run.stop = stretch.stop
        runs.append(run)
    return runs
