"""From the windows of a scan to segments: hysteresis over probabilities, with bounds from cells where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import find_objects
from scipy.ndimage import label as connected

from ..core.errors import ParameterError
from ..probes import SetProbe
from .lanes import Lane, Run, SavedEncoder, WindowClassifier, bounds, smoothed
from .timeline import Segment

ENTER, LEAVE = 0.6, 0.4  # probabilities at which a segment begins and ends, for encoders of one label


def segment_thresholds(
    encoder: WindowClassifier, enter: float | None, leave: float | None, alarms_per_hour: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities [K] at which segments begin and end; the arguments are those of :func:`scan`.

    Raises:
        ParameterError: they do not fit each other or the encoder.
    """
    probe, count = encoder.probe if isinstance(encoder, SavedEncoder) else None, len(encoder.labels)
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


def segments_of(
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


def beyond_mix(segments: Sequence[Segment]) -> list[Segment]:
    """The segments without those of a channel that overlap one of the mix with the same label."""
    mix = [segment for segment in segments if segment.channel is None]
    return [
        segment
        for segment in segments
        if segment.channel is None
        or not any(m.label == segment.label and m.start < segment.stop and m.stop > segment.start for m in mix)
    ]


def spans_of(flags: np.ndarray, edges: np.ndarray) -> Iterator[tuple[int, int]]:
    """``[start, stop)`` in samples of each run of set flags."""
    runs, _ = connected(flags)
    for (where,) in find_objects(runs):
        yield int(edges[where.start]), int(edges[where.stop])
