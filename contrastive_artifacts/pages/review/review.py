"""A review: the flagged clips, worst first, and the decisions about them. Independent of the web server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import lru_cache
from typing import Any

import numpy as np

from ... import audio
from ...artifacts import CLEAN
from ...core.errors import ParameterError
from ...data.corpora import Corpus
from ...data.curation.decisions import REJECT, Decisions
from ...data.curation.survey import UNREADABLE, Finding
from ...probes.label_sets import joined
from ...probes.precision import precisions
from ..shared.spectrogram import SCALES, picture, playable

SLICE_S = 20.0  # longest part of a clip that is shown or played at once


class Review:
    """The queue of the flagged clips of a corpus.

    Args:
        corpus: The corpus of the clips.
        findings: Findings of all its clips.
        decisions: Store of the decisions; each is written at once.
        publish: Writes the manifest and returns its JSON.
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
        """Name, facts, reasons and present decision of each clip of the queue, as JSON for the page."""
        with self._lock:
            decisions = self.decisions.in_force()
        rows = []
        for finding in self.queue:
            decision = decisions.get((finding.clip.id, finding.sha256))
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

    def precisions(self) -> list[list[Any]]:
        """Of each reason with decisions, the least settled first: the share of its clips that were rejected.

        A clip with several reasons counts for each of them. As JSON for the page: the fields of
        :class:`.precision.Precision`.
        """
        pairs = []
        for row in self.rows():
            if row["decision"]:
                reasons = joined(reason for reason, *_ in row["reasons"])
                pairs.append((reasons, reasons if row["decision"] == REJECT else CLEAN))
        return [list(astuple(precision)) for precision in precisions(pairs)]

    def picture(self, clip_id: str, start: int, scale: str) -> dict[str, Any]:
        """Outline and spectrogram of at most 20 s from sample ``start``; see :func:`.spectrogram.picture`.

        Raises:
            ParameterError: an unknown scale, or a start outside the clip.
            AudioError: the file is missing or can no longer be read.
        """
        if scale not in SCALES:
            raise ParameterError(f"scale={scale!r} is none of {', '.join(SCALES)}.")
        waveform, rate = self._slice(clip_id, start)
        return {"start": start, "samples": waveform.shape[1], "rate": rate, **picture(waveform, rate, scale)}

    def sound(self, clip_id: str, start: int) -> tuple[bytes, str, float]:
        """The slice of :meth:`picture` as audio; see :func:`.spectrogram.playable`."""
        return self._playable(clip_id, start)

    def decide(self, clip_id: str, decision: str, note: str) -> None:
        """Stores a decision, "keep" or "reject", with a note."""
        finding = self.queue[self._places[clip_id]]
        with self._lock:
            self.decisions.decide(clip_id, finding.sha256, decision, note, finding.reasons)

    def undo(self) -> str | None:
        """Undoes the last decision; returns the id of its clip, which may no longer be flagged, or None."""
        with self._lock:
            return self.decisions.undo()

    def publish(self) -> dict[str, Any]:
        """Writes the manifest and returns its JSON."""
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
