"""The sound of a row as the page shows and plays it: read from its recording, or rendered again with its clean clip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import AudioError, ParameterError, StorageError
from ...search.retrieval import OutsideRootsError, channel_of, clean_of, replayed
from ..shared.channels import ALL
from ..shared.difference import difference
from ..shared.spectrogram import BEYOND_S
from .beside import nearest_clean
from .collection import CLEAN, Collection
from .pieces import Slice, View, pictured, played
from .tables import is_rendered

DAMAGED, DIFFERENCE = "damaged", "difference"
LONGEST_S = 60.0  # of a slice with its context
MOST_PAD_S = 20.0
_DECODED, _ENCODED = 128 << 20, 64 << 20  # bytes of the caches
_MOST = 4096  # slices in each of them


class Vanished(StorageError):
    """A recording that the index was built from is missing."""


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
            version: "damaged", the row itself; "clean", the clip from which a view was rendered, or the nearest clean
                window of the same recording; "difference", of a view and its clip.
            pad: Context in seconds, 0 to 20; ignored for rendered views.

        Raises:
            ParameterError: no such version, or a pad out of range.
            Vanished: the recording or corpus is missing.
            OutsideRootsError: the recording or clip lies outside of the roots of the collection.
            AudioError: the recording cannot be read.
        """
        if version not in (DAMAGED, CLEAN, DIFFERENCE):
            raise ParameterError(f"version={version!r} is none of {DAMAGED}, {CLEAN}, {DIFFERENCE}.")
        if not 0.0 <= pad <= MOST_PAD_S:
            raise ParameterError(f"pad={pad} s lies outside 0..{MOST_PAD_S:g} s.")
        facts = self.collection.facts(row)
        if version == CLEAN and not is_rendered(facts):
            row, version = self._clean_window(row), DAMAGED
            facts = self.collection.facts(row)
        key = (row, 0.0 if is_rendered(facts) else pad)
        versions = self._decoded.get(key)
        if versions is None:
            versions = self._render(row, facts) if is_rendered(facts) else {DAMAGED: self._cut(facts, pad)}
            self._decoded.put(key, versions, sum(piece.waveform.nbytes for piece in versions.values()))
        if version not in versions:
            raise ParameterError(f"Row {row} is not a rendered view; it has no {version} version.")
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

    def _clean_window(self, row: int) -> int:
        clean = nearest_clean(self.collection, row)
        if clean is None:
            raise ParameterError(f"Row {row} has no clean version: no window of its recording near it is clean.")
        return clean

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
            DIFFERENCE: Slice(difference(view.waveform, clean, rate), rate, facts["start"], span, segments, gain),
        }


def file_of(facts: Mapping[str, Any]) -> Path | None:
    """The file of a row that is a window of a recording; None for a rendered view."""
    return Path(facts["file"]) if facts.get("file") and not is_rendered(facts) else None
