"""The sound of a row as the page shows and plays it: read from its recording, or rendered again with its clean clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import ArtifactsError, AudioError, ParameterError, StorageError
from ...search.retrieval import OutsideRootsError, channel_of, clean_of, replayed
from ..shared.channels import ALL, chosen
from ..shared.marked import marks
from ..shared.spectrogram import BEYOND_S, SCALES, picture, playable
from .collection import CLEAN, Collection
from .tables import is_rendered

DAMAGED = "damaged"
LONGEST_S = 60.0  # of a slice with its context
MOST_PAD_S = 20.0
_DECODED, _ENCODED = 128 << 20, 64 << 20  # bytes of the caches
_MOST = 4096  # slices in each of them


class Vanished(StorageError):
    """A recording that the index was built from is missing."""


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


class Slices:
    """Slices of the rows of a collection, with caches of decoded and encoded ones."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._decoded: ByteCache[dict[str, Slice]] = ByteCache(_DECODED, _MOST)
        self._encoded: ByteCache[tuple[bytes, str]] = ByteCache(_ENCODED, _MOST)

    def get(self, row: int, version: str = DAMAGED, pad: float = 0.0) -> Slice:
        """A row with up to ``pad`` seconds on both sides; no longer than 60 s.

        Args:
            row: Number of the row.
            version: "damaged", the row itself, or "clean", the clip from which a view was rendered.
            pad: Context in seconds, 0 to 20; ignored for rendered views.

        Raises:
            ParameterError: no such version, or a pad out of range.
            Vanished: the recording or corpus is missing.
            OutsideRootsError: the recording or clip lies outside of the roots of the collection.
            AudioError: the recording cannot be read.
        """
        if version not in (DAMAGED, CLEAN):
            raise ParameterError(f"version={version!r} is neither {DAMAGED!r} nor {CLEAN!r}.")
        if not 0.0 <= pad <= MOST_PAD_S:
            raise ParameterError(f"pad={pad} s lies outside 0..{MOST_PAD_S:g} s.")
        facts = self.collection.facts(row)
        key = (row, 0.0 if is_rendered(facts) else pad)
        versions = self._decoded.get(key)
        if versions is None:
            versions = self._render(row, facts) if is_rendered(facts) else {DAMAGED: self._cut(facts, pad)}
            self._decoded.put(key, versions, sum(piece.waveform.nbytes for piece in versions.values()))
        if version not in versions:
            raise ParameterError(f"Row {row} is not a rendered view; it has no clean version.")
        return versions[version]

    def picture(self, row: int, version: str, pad: float, view: View) -> dict[str, Any]:
        """See :func:`pictured`."""
        return pictured(self.get(row, version, pad), view)

    def sound(self, row: int, version: str, pad: float, channel: str = ALL) -> tuple[bytes, str]:
        """The same slice as FLAC, and its MIME type."""
        key = (row, version, pad, channel)
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = played(self.get(row, version, pad).of(channel))
            self._encoded.put(key, encoded, len(encoded[0]))
        return encoded

    def span(self, row: int, start_s: float, stop_s: float) -> tuple[np.ndarray, int, int, int]:
        """Samples of the recording of a row; times in seconds from the row's own first sample.

        Returns:
            Waveform [C, T], sample rate, first and last sample in the recording, limited to its length.

        Raises:
            ParameterError: an empty span, or one longer than 60 s or outside the recording.
        """
        if not (-MOST_PAD_S - 1 <= start_s < stop_s <= LONGEST_S + MOST_PAD_S + 1) or stop_s - start_s > LONGEST_S:
            raise ParameterError(f"The span {start_s:g}..{stop_s:g} s is empty, too long or too far from the row.")
        facts = self.collection.facts(row)
        rate = facts["sample_rate"]
        first = max(0, facts["start"] + round(start_s * rate))
        last = facts["start"] + round(stop_s * rate)
        if is_rendered(facts):
            view = self.get(row)
            a, b = (int(np.clip(at - view.start, 0, view.waveform.shape[1])) for at in (first, last))
            first, last, waveform = view.start + a, view.start + b, view.waveform[:, a:b]
        else:
            waveform = np.zeros((1, 0), np.float32) if last <= first else self._read(facts, first, last)
            last = first + waveform.shape[1]
        if not waveform.size:
            raise ParameterError(f"The span {start_s:g}..{stop_s:g} s lies outside the recording.")
        return waveform, rate, first, last

    def _cut(self, facts: Mapping[str, Any], pad: float) -> Slice:
        rate, start, stop = facts["sample_rate"], facts["start"], facts["stop"]
        longest = round(LONGEST_S * rate)
        around = min(round(pad * rate), max(0, (longest - (stop - start)) // 2))
        first = max(0, start - around)
        last = min(stop + around, first + longest)
        whole, before = self._with_surroundings(facts, first, last)
        waveform = whole[:, before : before + last - first]
        length = waveform.shape[1]
        span = (min(start - first, length), min(stop - first, length))
        return Slice(waveform, rate, first, span, around=whole, before=before)

    def _with_surroundings(self, facts: Mapping[str, Any], first: int, last: int) -> tuple[np.ndarray, int]:
        """Samples [first, last) with 1/8 s on both sides, where there is, and how many of these lie before them."""
        beyond = round(BEYOND_S * facts["sample_rate"])
        before = min(beyond, first)
        try:
            whole = self._read(facts, first - before, last + beyond)
        except AudioError:
            whole = np.zeros((1, 0), np.float32)
        if whole.shape[1] > before:
            return whole, before
        return self._read(facts, first, last), 0  # which says what is wrong with the slice itself

    def _read(self, facts: Mapping[str, Any], start: int, stop: int) -> np.ndarray:
        path = file_of(facts)
        path = path and self.collection.roots.file(path)
        if path is None or not path.is_file():
            raise Vanished(f"{facts['clip']} is no longer in its folder; put it back, or index the recordings again.")
        try:
            waveform, rate = audio.glimpse(path, start, stop, facts.get("stream"))
        except AudioError as error:
            raise AudioError(str(error).replace(str(path), str(facts["clip"]))) from None
        if rate != facts["sample_rate"]:
            raise AudioError(f"{facts['clip']} has {rate} Hz, not {facts['sample_rate']}: it changed; index it again.")
        return channel_of(waveform, facts)

    def _render(self, row: int, facts: Mapping[str, Any]) -> dict[str, Slice]:
        try:
            clean, rate = clean_of(self.collection.span(row), self.collection.corpora, self.collection.roots)
        except OutsideRootsError:
            raise
        except StorageError as error:
            raise Vanished(str(error)) from None
        view = replayed(clean, rate, facts)
        gain = 1.0 / max(1.0, audio.peak(clean), audio.peak(view.waveform))
        span = (0, clean.shape[1])
        segments = tuple((int(a), int(b)) for a, b in view.segments)
        return {
            DAMAGED: Slice(view.waveform, rate, facts["start"], span, segments, gain),
            CLEAN: Slice(clean, rate, facts["start"], span, (), gain),
        }


def file_of(facts: Mapping[str, Any]) -> Path | None:
    """The file of a row that is a window of a recording; None for a rendered view."""
    return Path(facts["file"]) if facts.get("file") and not is_rendered(facts) else None


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
