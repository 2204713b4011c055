"""The sound of a row as the page shows and plays it: read from its recording, or rendered again with its clean clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import ArtifactsError, AudioError, ParameterError, StorageError
from ...search.retrieval import OutsideRootsError, channel_of, clean_of, replayed
from ..shared.spectrogram import SCALES, picture, playable
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
    """

    waveform: np.ndarray
    sample_rate: int
    start: int
    span: tuple[int, int]
    segments: tuple[tuple[int, int], ...] = ()
    gain: float = 1.0


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

    def picture(self, row: int, version: str, scale: str, pad: float) -> dict[str, Any]:
        """See :func:`contrastive_artifacts.pages.shared.spectrogram.picture`."""
        return pictured(self.get(row, version, pad), scale)

    def sound(self, row: int, version: str, pad: float) -> tuple[bytes, str]:
        """The same slice as FLAC, and its MIME type."""
        encoded = self._encoded.get((row, version, pad))
        if encoded is None:
            encoded = played(self.get(row, version, pad))
            self._encoded.put((row, version, pad), encoded, len(encoded[0]))
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
        waveform = self._read(facts, first, min(stop + around, first + longest))
        length = waveform.shape[1]
        return Slice(waveform, rate, first, (min(start - first, length), min(stop - first, length)))

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


def pictured(piece: Slice, scale: str) -> dict[str, Any]:
    """Outline and spectrogram of a slice, and its position, as JSON for the page.

    Raises:
        ParameterError: no such scale.
    """
    if scale not in SCALES:
        raise ParameterError(f"scale={scale!r} is none of {', '.join(SCALES)}.")
    return {
        "start": piece.start,
        "samples": piece.waveform.shape[1],
        "rate": piece.sample_rate,
        "span": list(piece.span),
        "segments": [list(segment) for segment in piece.segments],
        **picture(piece.waveform, piece.sample_rate, scale),
    }


def played(piece: Slice) -> tuple[bytes, str]:
    """A slice as FLAC of 24 bits, and its MIME type."""
    try:
        data, mime, _ = playable(piece.waveform * np.float32(piece.gain), piece.sample_rate)
    except RuntimeError as error:  # libsndfile writes no FLAC of this rate
        raise ArtifactsError(f"A sound of {piece.sample_rate} Hz cannot be played ({error}).") from None
    return data, mime
