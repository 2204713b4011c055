"""The results of a scan window by window, before they are joined to segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from scipy.ndimage import median_filter

from ..audio.windows import Window, mixed
from ..core.errors import ParameterError
from ..probes import AnyProbe

ALIKE = 1e-3  # share of the energy of a channel that is not in the mix: 30 dB below it
SILENT = 1e-10  # mean square: -100 dBFS
MOSTLY = 0.5  # share of a window in silence above which nothing is heard in it
LIKELY = 128  # of 255: chance of a cell above which an artifact counts as there


class WindowClassifier(Protocol):
    """The part of an encoder that a scan needs.

    ``labels`` starts with "clean"; ``window_s`` and ``hop_s`` are the length and the hop of its windows in seconds.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def window_s(self) -> float: ...

    @property
    def hop_s(self) -> float: ...

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        """N mono float32 windows [T] -> probabilities [N, K] and severities [N, K], both in [0, 1].

        A severity may be NaN: unknown, as it is for labels that users added.
        """


@runtime_checkable
class SavedEncoder(WindowClassifier, Protocol):
    """What a scan uses of a :class:`~..embedding.PretrainedEncoder`, which it tells from others without PyTorch."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def probe(self) -> AnyProbe | None: ...

    @property
    def of_sets(self) -> bool: ...

    @property
    def context_s(self) -> float: ...

    @property
    def cell_s(self) -> float: ...

    def classify_cells(
        self, waveforms: list[np.ndarray], sample_rate: int, contexts: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...


class Signals(NamedTuple):
    """Mono float32 windows [T] and their contexts [T']."""

    windows: list[np.ndarray]
    contexts: list[np.ndarray]

    def chosen(self, numbers: Sequence[int]) -> Signals:
        return Signals(*([signals[n] for n in numbers] for signals in self))


@dataclass
class Lane:
    """The results for one mono signal: per batch, probabilities [n, K] and severities [n, K].

    Of an encoder of label sets also the chances of the artifacts in the cells of each window, uint8 [n, cells, K - 1],
    255 for 1: 7 MB an hour. Labels that users added have no cells.
    """

    channel: int | None
    probabilities: list[np.ndarray] = field(default_factory=list)
    severities: list[np.ndarray] = field(default_factory=list)
    cells: list[np.ndarray] = field(default_factory=list)

    def signals(self, batch: Sequence[Window]) -> Signals:
        return Signals(*mixed(batch, self.channel))


@dataclass
class Run:
    """The results for a run of data between two gaps of the file.

    Attributes:
        lanes: One per mono signal that is classified.
        starts: First sample of each window.
        cancels: Whether the channels of each window cancel each other in their mean.
        stop: End of the last window.
    """

    lanes: list[Lane]
    starts: list[int] = field(default_factory=list)
    cancels: list[bool] = field(default_factory=list)
    stop: int = 0

    def edges(self, window: int) -> np.ndarray:
        """Samples at which windows begin and end to count: half way to the neighbouring windows, int64 [N + 1]."""
        centres = np.asarray(self.starts, np.int64) * 2 + min(window, self.stop - self.starts[0])
        return np.concatenate([[self.starts[0]], (centres[:-1] + centres[1:]) // 4, [self.stop]])


def classify(lane: Lane, signals: Signals, encoder: WindowClassifier, rate: int) -> None:
    """Adds the results of some windows to a lane.

    A window that is mostly silence has no artifact: what begins or ends in leader, black or padding is no dropout, and
    long gaps are measured (:mod:`.measured.silence`).

    Raises:
        ParameterError: an encoder that returns arrays of other shapes.
    """
    if isinstance(encoder, SavedEncoder) and encoder.of_sets:
        probabilities, severities, cells = encoder.classify_cells(signals.windows, rate, signals.contexts)
        lane.cells.append(np.rint(cells * 255).astype(np.uint8))
    else:
        probabilities, severities = encoder.classify_windows(signals.windows, rate)
    expected = (len(signals.windows), len(encoder.labels))
    for name, values in (("probabilities", probabilities), ("severities", severities)):
        unfit = np.isinf(values) if name == "severities" else ~np.isfinite(values)
        if np.shape(values) != expected or unfit.any():
            raise ParameterError(
                f"The encoder gave {name} of shape {np.shape(values)} for {expected[0]} windows and "
                f"{len(encoder.labels)} labels; classify_windows must return values in [0, 1] of shape {expected}."
            )
    silent = [mostly_silent(window) for window in signals.windows]
    lane.probabilities.append(np.asarray(probabilities, np.float32).copy())
    lane.probabilities[-1][silent] = np.arange(expected[1]) == 0  # "clean"
    lane.severities.append(np.asarray(severities, np.float32))


def mostly_silent(window: np.ndarray) -> bool:
    """Whether more than half of a mono window [T] lies under -100 dBFS."""
    return bool(np.count_nonzero(np.square(window) <= SILENT) > MOSTLY * window.size)


def classify_differing(
    lane: Lane, signals: Signals, mix: Lane, mixes: Signals, encoder: WindowClassifier, rate: int
) -> None:
    """:func:`classify` of the windows of a channel that differ from the mix; the others have the results of the mix.

    Args:
        lane: Of the channel.
        signals, mixes: The windows of the channel and of the mix.
        mix: The lane of the mix, to which the same windows have been added.
        encoder, rate: As for :func:`classify`.
    """
    differing = [n for n, pair in enumerate(zip(signals.contexts, mixes.contexts, strict=True)) if differs(*pair)]
    heard = Lane(lane.channel)
    if differing:
        classify(heard, signals.chosen(differing), encoder, rate)
    for name in ("probabilities", "severities", "cells"):
        if getattr(mix, name):
            values = getattr(mix, name)[-1].copy()
            if differing:
                values[differing] = getattr(heard, name)[0]
            getattr(lane, name).append(values)


def differs(channel: np.ndarray, mix: np.ndarray) -> bool:
    """Whether a channel [T] holds something that its mix [T] does not, at whatever level; a silent channel does not."""
    energy, energy_mix = float(np.dot(channel, channel)), float(np.dot(mix, mix))
    if energy <= SILENT * channel.size:
        return False
    if not energy_mix:
        return True
    common = float(np.dot(channel, mix)) ** 2 / energy_mix
    return energy - common > ALIKE * energy


def median_width(window: int, hop: int) -> int:
    """Windows of the median of a scan: odd, and few enough to pass an event of one sample (in window / hop windows)."""
    return 2 * (round(window / hop) // 2) + 1


def smoothed(probabilities: np.ndarray, width: int) -> np.ndarray:
    """Probabilities [N, K] after a median over ``width`` neighbouring windows."""
    smooth: np.ndarray = median_filter(probabilities, size=(width, 1), mode="nearest")
    return smooth


def bounds(
    cells: Sequence[np.ndarray], starts: Sequence[int], edges: np.ndarray, windows: slice, column: int, cell: float
) -> tuple[int, int]:
    """First and last sample ``[start, stop)`` of an artifact in a run of windows, by its cells.

    The bounds of the windows where no cell is likely, as for artifacts of whole recordings.

    Args:
        cells: Chances uint8 [cells, K - 1] of each window.
        starts: First sample of each window.
        edges: Window n counts for the samples ``edges[n]`` to ``edges[n + 1]``.
        windows: The run.
        column: Of the artifact in ``cells``.
        cell: Length of a cell in samples.
    """
    places: list[np.ndarray] = []
    for window in range(windows.start, windows.stop):
        likely = starts[window] + np.flatnonzero(cells[window][:, column] >= LIKELY) * cell
        places.append(likely[(likely + cell > edges[window]) & (likely < edges[window + 1])])
    first, last = int(edges[windows.start]), int(edges[windows.stop])
    inside = np.concatenate(places)
    if not len(inside):
        return first, last
    return max(first, int(inside.min())), min(last, round(inside.max() + cell))
