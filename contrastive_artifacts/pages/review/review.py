"""A review: the flagged clips, worst first, and what a person decides about them. Knows nothing of the web."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ... import audio
from ...core.errors import ParameterError
from ...data.corpora import Corpus
from ...data.curation.decisions import Decisions
from ...data.curation.survey import UNREADABLE, Finding
from ..shared.spectrogram import SCALES, picture, playable

SLICE_S = 20.0  # longest piece that is shown or played at once


class Review:
    """The queue of a corpus' flagged clips.

    Args:
        corpus: Where the clips are loaded from.
        findings: Of all its clips.
        decisions: Where decisions go, each at once.
        publish: Writes the manifest; returns what its JSON holds.
    """

    def __init__(
        self, corpus: Corpus, findings: Sequence[Finding], decisions: Decisions, publish: Callable[[], dict[str, Any]]
    ) -> None:
        self.corpus, self.decisions = corpus, decisions
        flagged = [finding for finding in findings if finding.flags and UNREADABLE not in finding.reasons]
        self.queue = sorted(flagged, key=lambda finding: (-finding.urgency, -len(finding.flags), finding.clip.id))
        self._places = {finding.clip.id: place for place, finding in enumerate(self.queue)}
        self._publish, self._lock = publish, threading.Lock()
        self._playable = lru_cache(maxsize=12)(self._encoded)

    def rows(self) -> list[dict[str, Any]]:
        """What the page lists: name, facts, reasons and the decision in force, for each clip of the queue."""
        with self._lock:
            standing = self.decisions.in_force()
        rows = []
        for finding in self.queue:
            decision = standing.get((finding.clip.id, finding.sha256))
            measures = finding.measures
            assert measures is not None  # unreadable clips are not in the queue
            rows.append({
                "name": finding.clip.id,
                "category": finding.clip.category,
                "source": finding.clip.source,
                "seconds": round(measures.seconds, 3),
                "rate": measures.rate,
                "channels": measures.channels,
                "facts": [
                    ["loudness", f"{measures.loudness_lufs:.1f} LUFS"],
                    ["peak", f"{round(measures.peak_db, 1) + 0.0:.1f} dBFS"],
                    ["noise floor", f"{measures.floor_db:.0f} dBFS"],
                    ["band", f"to {measures.edge_hz / 1000:.1f} of {measures.rate / 2000:.1f} kHz"],
                ],
                "reasons": [[flag.reason, flag.text, round(flag.urgency, 3), flag.rejects] for flag in finding.flags],
                "decision": decision.decision if decision else "",
                "by": decision.who if decision else "",
                "note": decision.note if decision else "",
            })  # fmt: skip
        return rows

    def picture(self, clip_id: str, start: int, scale: str) -> dict[str, Any]:
        """See :func:`.spectrogram.picture`; of 20 s at the most, from sample ``start`` on.

        Raises:
            ParameterError: an unknown scale, or a start outside the clip.
            AudioError: the file went away or cannot be read any more.
        """
        if scale not in SCALES:
            raise ParameterError(f"scale={scale!r} is none of {', '.join(SCALES)}.")
        waveform, rate = self._slice(clip_id, start)
        return {"start": start, "samples": waveform.shape[1], "rate": rate, **picture(waveform, rate, scale)}

    def sound(self, clip_id: str, start: int) -> tuple[bytes, str, float]:
        """See :func:`.spectrogram.playable`; the same slice as :meth:`picture`."""
        return self._playable(clip_id, start)

    def decide(self, clip_id: str, decision: str, note: str) -> None:
        finding = self.queue[self._places[clip_id]]
        with self._lock:
            self.decisions.decide(clip_id, finding.sha256, decision, note, finding.reasons)

    def undo(self) -> str | None:
        """The clip whose decision was taken back; it may be one that is no longer flagged."""
        with self._lock:
            return self.decisions.undo()

    def publish(self) -> dict[str, Any]:
        with self._lock:
            return self._publish()

    def _encoded(self, clip_id: str, start: int) -> tuple[bytes, str, float]:
        return playable(*self._slice(clip_id, start))

    def _slice(self, clip_id: str, start: int) -> tuple[np.ndarray, int]:
        finding = self.queue[self._places[clip_id]]
        measures = finding.measures
        assert measures is not None
        samples, length = round(measures.seconds * measures.rate), round(SLICE_S * measures.rate)
        if not 0 <= start < samples:
            raise ParameterError(f"start={start} lies outside the clip's {samples} samples.")
        if finding.clip.path is not None:
            return audio.glimpse(finding.clip.path, start, start + length)
        waveform, rate = self.corpus.load(finding.clip)
        return waveform[:, start : start + length], rate
