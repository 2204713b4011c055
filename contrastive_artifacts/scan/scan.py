"""Finds the artifacts of a long recording: windows are classified one batch after another, then joined to segments.

The same pass over the samples measures what needs no network (:mod:`.measured`). Memory does not grow with the audio
but for the probabilities and severities of each window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.ndimage import find_objects
from scipy.ndimage import label as connected

from .. import audio
from ..audio import windows
from ..core.console import printable, stderr
from ..core.errors import AudioError, ParameterError
from ..embedding import PretrainedEncoder, load
from ..probes import SetProbe
from .lanes import Lane, Run, WindowClassifier, bounds, classify, smoothed
from .measured import Meter
from .overview import OverviewMeter
from .timeline import Segment as Segment
from .timeline import Timeline as Timeline

_BLOCK_S = 10.0
_PROGRESS_FROM_S = 20.0
ENTER, LEAVE = 0.6, 0.4  # probabilities at which a segment begins and ends, for encoders of one label


def scan(
    path: str | Path,
    encoder: WindowClassifier | None = None,
    *,
    channels: Literal["mix", "each"] = "mix",
    enter: float | None = None,
    leave: float | None = None,
    alarms_per_hour: float | None = None,
    minimum_s: float | None = None,
    batch: int = 32,
    progress: bool = True,
    stream: int | str | None = None,
) -> Timeline:
    """Scans a recording of any length for artifacts.

    The result of a window counts for the hop around its centre (for the first and last window, up to the ends of the
    recording), so a boundary is accurate to about half a hop. Per label, a median over neighbouring windows removes
    outliers; it is narrow enough to pass an event of one sample, which lies in ``window / hop`` windows. A clean gap
    shorter than about a window is not detected. A segment is a run of windows with a probability of at least ``leave``,
    of which one reaches ``enter`` (hysteresis as in Canny 1986). An encoder of label sets also tells in which cells of
    some tens of milliseconds an artifact is: its segments begin with the first and end with the last of these.

    Args:
        path: Any media file that :mod:`~contrastive_artifacts.audio` reads.
        encoder: Classifies windows; the release encoder if not given.
        channels: "mix" scans the mean of the channels (the loudest channel where the mean cancels), "each" every
            channel by itself.
        enter, leave: Probabilities with ``0 < leave <= enter <= 1``; by default 0.6 and 0.4, or the thresholds of an
            encoder of label sets.
        alarms_per_hour: Of an encoder of label sets: false segments per hour of clean sound, over all artifacts, that
            its thresholds allow; 6 by default.
        minimum_s: Shorter segments are dropped; half a window if not given.
        batch: Windows classified at a time.
        progress: Show a bar on stderr for recordings over 20 s, if stderr is a terminal.
        stream: Index among the audio streams of the file, or a language tag; by default the stream marked as default,
            else the first.

    Returns:
        Segments ordered by start, in samples at the recording's own rate; none for "clean". Beside them what the
        samples say by themselves (``measured``), of all channels whatever ``channels`` is. Gaps of the file (lost
        packets, or audio that starts after the picture) are listed; those of 0.1 s or more are not classified, and no
        segment spans one.

    Raises:
        ParameterError: a value outside its range, or an encoder that returns arrays of other shapes.
        AudioError: the file cannot be read or holds no audio.
    """
    encoder = load("release") if encoder is None else encoder
    limits = segment_thresholds(encoder, enter, leave, alarms_per_hour)
    _check(encoder, channels, minimum_s, batch)
    file = audio.MediaFile(path, stream)
    info = file.info
    rate = info.sample_rate
    window, hop = max(1, round(encoder.window_s * rate)), max(1, round(encoder.hop_s * rate))
    signals = range(info.channels) if channels == "each" else [None]
    runs: list[Run] = []
    meter, overview = Meter(info.channels, rate), OverviewMeter(rate)
    with _progress(info.duration_s, progress) as bar:
        task = bar.add_task(printable(Path(path).name), total=info.duration_s)
        for blocks in file.runs(max(round(_BLOCK_S * rate), window)):
            run = Run([Lane(channel) for channel in signals])
            for items in _batches(windows.stream(overview.watch(meter.watch(blocks)), window, hop), batch):
                for lane in run.lanes:
                    classify(lane, [lane.signal(samples) for _, samples in items], encoder, rate)
                run.starts += [start for start, _ in items]
                run.cancels += [audio.cancels(samples) for _, samples in items]
                run.stop = items[-1][0] + items[-1][1].shape[1]
                bar.update(task, completed=run.stop / rate)
            runs.append(run)
    if not runs:
        raise AudioError(f"{path} holds no audio samples; give a file with a sound track.")
    total = runs[-1].stop
    width = 2 * (round(window / hop) // 2) + 1
    cell = encoder.cell_s * rate if isinstance(encoder, PretrainedEncoder) else 0.0
    shortest = min(total, window // 2 if minimum_s is None else round(minimum_s * rate))
    segments = [
        segment
        for run in runs
        for lane in run.lanes
        for segment in _segments(lane, encoder.labels, run, run.edges(window), width, shortest, cell, *limits)
    ]
    segments.sort(key=lambda s: (s.start, s.stop, s.label, -1 if s.channel is None else s.channel))
    out_of_phase = tuple(span for run in runs for span in _spans(np.asarray(run.cancels), run.edges(window)))
    labels = tuple(encoder.labels[1:])
    return Timeline(
        Path(path), rate, total, tuple(segments), labels, file.gaps, out_of_phase, info.stream, info.streams,
        meter.measured(file.gaps), overview.overview(),
    )  # fmt: skip


def _spans(flags: np.ndarray, edges: np.ndarray) -> Iterator[tuple[int, int]]:
    """``[start, stop)`` in samples of each run of set flags."""
    runs, _ = connected(flags)
    for (where,) in find_objects(runs):
        yield int(edges[where.start]), int(edges[where.stop])


def _batches(items: Iterable[tuple[int, np.ndarray]], size: int) -> Iterator[list[tuple[int, np.ndarray]]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _segments(
    lane: Lane, labels: Sequence[str], run: Run, edges: np.ndarray, width: int, shortest: int, cell: float,
    enter: np.ndarray, leave: np.ndarray,
) -> Iterator[Segment]:  # fmt: skip
    """Segments of one lane; window n counts for the samples ``edges[n]`` to ``edges[n + 1]``."""
    cells = [window for batch in lane.cells for window in batch]
    probabilities, severities = np.concatenate(lane.probabilities), np.concatenate(lane.severities)
    smooth = smoothed(probabilities, width)
    for column, label in enumerate(labels[1:], start=1):
        runs, _ = connected(smooth[:, column] >= leave[column])
        for (where,) in find_objects(runs):
            long_enough = edges[where.stop] - edges[where.start] >= shortest
            if not long_enough or smooth[where, column].max() < enter[column]:
                continue
            severity = severities[where, column].mean()
            start, stop = int(edges[where.start]), int(edges[where.stop])
            if cells and column <= cells[0].shape[1]:  # names that users added have no cells
                start, stop = bounds(cells, run.starts, edges, where, column - 1, cell)
            yield Segment(
                start=start,
                stop=stop,
                label=label,
                severity=None if np.isnan(severity) else float(np.clip(severity, 0, 1)),
                confidence=float(np.clip(probabilities[where, column].mean(), 0, 1)),
                channel=lane.channel,
            )


def segment_thresholds(
    encoder: WindowClassifier, enter: float | None, leave: float | None, alarms_per_hour: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities [K] at which segments begin and end; the arguments are those of :func:`scan`.

    Raises:
        ParameterError: they do not fit each other or the encoder.
    """
    probe, count = encoder.probe if isinstance(encoder, PretrainedEncoder) else None, len(encoder.labels)
    if isinstance(probe, SetProbe):
        if alarms_per_hour is not None and (enter, leave) != (None, None):
            raise ParameterError("alarms_per_hour sets the thresholds; leave enter and leave out, or alarms_per_hour.")
        begin, end = probe.enter(alarms_per_hour), probe.leave(alarms_per_hour)
    elif alarms_per_hour is not None:
        raise ParameterError("alarms_per_hour is for encoders of label sets; set enter and leave for this one.")
    else:
        begin, end = np.full(count, ENTER), np.full(count, LEAVE)
    begin = begin if enter is None else np.full(count, enter)
    end = np.minimum(end, begin) if leave is None else np.full(count, leave)
    if not (end > 0).all() or not (end <= begin).all() or not (begin <= 1).all():
        raise ParameterError(f"enter={enter}, leave={leave}: the thresholds must keep 0 < leave <= enter <= 1.")
    return begin, end


def _progress(duration_s: float | None, enabled: bool) -> Progress:
    is_long = duration_s is None or duration_s > _PROGRESS_FROM_S
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=stderr, transient=True, disable=not (enabled and is_long and stderr.is_terminal))


def _check(encoder: WindowClassifier, channels: str, minimum_s: float | None, batch: int) -> None:
    if channels not in ("mix", "each"):
        raise ParameterError(f'channels={channels!r}: give "mix" (the mean of the channels) or "each" (every channel).')
    if minimum_s is not None and not minimum_s >= 0:
        raise ParameterError(f"minimum_s={minimum_s}: give the shortest segment in seconds, 0 or more.")
    if batch < 1:
        raise ParameterError(f"batch={batch}: give at least one window at a time.")
    if len(encoder.labels) < 2 or encoder.labels[0] != "clean":
        raise ParameterError(
            f'The encoder\'s labels are {encoder.labels}; the first must be "clean", an artifact second.'
        )
    if not 0 < encoder.hop_s <= encoder.window_s:
        raise ParameterError(
            f"The encoder has window_s={encoder.window_s} and hop_s={encoder.hop_s}; give 0 < hop_s <= window_s."
        )
