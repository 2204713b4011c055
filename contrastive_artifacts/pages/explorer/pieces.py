"""A piece of sound as the page shows and plays it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...core.errors import ArtifactsError, ParameterError
from ..shared.channels import ALL, chosen
from ..shared.marked import marks
from ..shared.spectrogram import SCALES, picture, playable


@dataclass(frozen=True)
class Slice:
    """A piece of a recording.

    Args:
        waveform: float32 [C, T]; only one channel for a row that was embedded from one.
        sample_rate: In Hz.
        start: First sample of the slice in the recording.
        span: Samples [a, b) of the slice that belong to the row; the rest is context.
        segments: Samples [a, b) of the slice that the artifact changed, if that is known.
        gain: Factor for playback, the same for both versions of a view.
        around: float32 [C, T'], the slice with up to 1/8 s of the recording on both sides, for the frames of a
            spectrogram at its ends; None if there is nothing around it.
        before: Samples of ``around`` before the slice.
    """

    waveform: np.ndarray
    sample_rate: int
    start: int
    span: tuple[int, int]
    segments: tuple[tuple[int, int], ...] = ()
    gain: float = 1.0
    around: np.ndarray | None = None
    before: int = 0

    def of(self, channel: str) -> Slice:
        """One channel of the slice; see :func:`contrastive_artifacts.pages.shared.channels.chosen`."""
        around = None if self.around is None else chosen(self.around, channel)
        return replace(self, waveform=chosen(self.waveform, channel), around=around)


@dataclass(frozen=True)
class View:
    """What a picture shows of a slice.

    Args:
        scale: "linear", "log" or "low"; see :func:`contrastive_artifacts.pages.shared.spectrogram.picture`.
        channel: "all", or one of them.
        start, stop: Seconds from the first sample of the slice; all of it by default.
        low, high: Frequencies in Hz; all by default.
        marks: Whether the slice is measured too; the page keeps the marks while it zooms.
    """

    scale: str = "linear"
    channel: str = ALL
    start: float = 0.0
    stop: float | None = None
    low: float = 0.0
    high: float | None = None
    marks: bool = True


def pictured(piece: Slice, view: View) -> dict[str, Any]:
    """Outline and spectrogram of a slice, its position, and what is marked in it, as JSON for the page.

    Raises:
        ParameterError: no such scale or channel, or times or frequencies that are no range.
    """
    if view.scale not in SCALES:
        raise ParameterError(f"scale={view.scale!r} is none of {', '.join(SCALES)}.")
    length, rate = piece.waveform.shape[1], piece.sample_rate
    stop = length / rate if view.stop is None else view.stop
    if not 0 <= view.start < stop < 1e6:
        raise ParameterError(f"start={view.start:g}, stop={stop:g}: give seconds within the sound, in order.")
    if not 0 <= view.low < (rate if view.high is None else view.high) < 1e9:
        raise ParameterError(f"low={view.low:g}, high={view.high}: give frequencies in Hz, in order.")
    first = min(round(view.start * rate), length - 1)
    last = min(max(first + 1, round(stop * rate)), length)
    heard = piece.of(view.channel)
    whole = heard.waveform if heard.around is None else heard.around
    shown = (heard.before + first, heard.before + last)
    return {
        "start": piece.start,
        "samples": length,
        "rate": rate,
        "span": list(piece.span),
        "shown": [first, last],
        "segments": [list(segment) for segment in piece.segments],
        **(marks(piece.waveform, rate) if view.marks else {}),
        **picture(whole, rate, view.scale, shown, view.low, view.high),
    }


def played(piece: Slice) -> tuple[bytes, str]:
    """A slice as FLAC of 24 bits, and its MIME type."""
    try:
        data, mime, _ = playable(piece.waveform * np.float32(piece.gain), piece.sample_rate)
    except RuntimeError as error:  # libsndfile writes no FLAC of this rate
        raise ArtifactsError(f"A sound of {piece.sample_rate} Hz cannot be played ({error}).") from None
    return data, mime
