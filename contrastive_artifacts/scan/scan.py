"""Finds the artifacts of a long recording: windows are classified one batch after another, then joined to segments.

The same pass over the samples measures what needs no network (:mod:`.measured`). Memory does not grow with the audio
but for the probabilities and severities of each window.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .. import audio
from ..core.console import printable, stderr
from ..core.errors import AudioError, ParameterError
from .lanes import SavedEncoder, WindowClassifier, median_width
from .measured import Meter
from .overview import OverviewMeter
from .saved import SavedStretches
from .segments import beyond_mix, segment_thresholds, segments_of, spans_of
from .stretches import BATCH, CHANNELS, Channels, Hearing, Stretch, heard, joined, lanes, passed, pieces
from .timeline import Segment as Segment
from .timeline import Timeline as Timeline

_BLOCK_S = 10.0
_PROGRESS_FROM_S = 20.0


def scan(
    path: str | Path,
    encoder: WindowClassifier | None = None,
    *,
    channels: Channels = "mix",
    enter: float | None = None,
    leave: float | None = None,
    alarms_per_hour: float | None = None,
    minimum_s: float | None = None,
    batch: int = BATCH,
    progress: bool = True,
    stream: int | str | None = None,
    saved: SavedStretches | None = None,
    advanced: Callable[[float], object] | None = None,
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
            channel by itself, "auto" the mix, and each channel where it differs from it: a segment of a channel is one
            that the mix does not have. Three lanes may raise three times as many false segments as one.
        enter, leave: Probabilities with ``0 < leave <= enter <= 1``; by default 0.6 and 0.4, or the thresholds of an
            encoder of label sets.
        alarms_per_hour: Of an encoder of label sets: false segments per hour of clean sound, over all artifacts, that
            its thresholds allow; 6 by default.
        minimum_s: Shorter segments are dropped; half a window if not given.
        batch: Windows classified at a time.
        progress: Show a bar on stderr for recordings over 20 s, if stderr is a terminal.
        stream: Index among the audio streams of the file, or a language tag; by default the stream marked as default,
            else the first.
        saved: Stretches of the same scan that an earlier call classified; those that it classifies are added.
        advanced: Is called with the seconds that are scanned, after each batch.

    Returns:
        Segments ordered by start, in samples at the recording's own rate; none for "clean". Beside them what the
        samples say by themselves (``measured``), of all channels whatever ``channels`` is. Gaps of the file (lost
        packets, or audio that starts after the picture) are listed; those of 0.1 s or more are not classified, and no
        segment spans one.

    Raises:
        ParameterError: a value outside its range, or an encoder that returns arrays of other shapes.
        AudioError: the file cannot be read or holds no audio.
    """
    if encoder is None:
        from ..embedding import load  # imports PyTorch, which a process that only starts scans does not need

        encoder = load("release")
    limits = segment_thresholds(encoder, enter, leave, alarms_per_hour)
    _check(encoder, channels, minimum_s, batch)
    file = audio.MediaFile(path, stream)
    info = file.info
    rate = info.sample_rate
    hearing = Hearing(encoder, rate, lanes(channels, info.channels), batch)
    window, hop = hearing.window, hearing.hop
    meter, overview = Meter(info.channels, rate), OverviewMeter(rate)
    watched = (overview.watch(meter.watch(blocks)) for blocks in file.runs(max(round(_BLOCK_S * rate), window)))
    stretches: list[Stretch] = []
    with _progress(info.duration_s, progress) as bar:
        task = bar.add_task(printable(audio.location(path).name), total=info.duration_s)

        def advance(seconds: float) -> None:
            bar.update(task, completed=seconds)
            if advanced is not None:
                advanced(seconds)

        for run, first, items in pieces(watched, hearing):
            stretch = saved.load(first) if saved is not None else None
            if stretch is not None:
                stretches.append(passed(stretch, items, path))
                advance(stretch.stop / rate)
                continue
            stretches.append(heard(run, first, items, hearing, advance))
            if saved is not None:
                saved.save(stretches[-1])
    if not stretches:
        raise AudioError(f"{path} holds no audio samples; give a file with a sound track.")
    runs = joined(stretches, hearing.channels)
    total = runs[-1].stop
    width = median_width(window, hop)
    cell = encoder.cell_s * rate if isinstance(encoder, SavedEncoder) else 0.0
    shortest = min(total, window // 2 if minimum_s is None else round(minimum_s * rate))
    segments = [
        segment
        for run in runs
        for lane in run.lanes
        for segment in segments_of(lane, encoder.labels, run, run.edges(window), width, shortest, cell, *limits)
    ]
    if channels == "auto":
        segments = beyond_mix(segments)
    segments.sort(key=lambda s: (s.start, s.stop, s.label, -1 if s.channel is None else s.channel))
    out_of_phase = tuple(span for run in runs for span in spans_of(np.asarray(run.cancels), run.edges(window)))
    labels = tuple(encoder.labels[1:])
    return Timeline(
        audio.location(path), rate, total, tuple(segments), labels, file.gaps, out_of_phase, info.stream, info.streams,
        meter.measured(file.gaps), overview.overview(),
    )  # fmt: skip


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
    if channels not in CHANNELS:
        raise ParameterError(
            f'channels={channels!r}: give "mix" (the mean of the channels), "each" (every channel), or "auto" (the '
            "mix, and channels where they differ from it)."
        )
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
