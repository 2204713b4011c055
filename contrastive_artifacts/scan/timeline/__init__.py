"""What was heard and measured in a recording, and the files that other programs read it from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...core import files
from ..measured import Finding, Measured
from ..overview import Overview
from .page import timeline_page

NO_DATA, OUT_OF_PHASE = "no data", "out of phase"  # labels of notes


@dataclass(frozen=True)
class Segment:
    """A part of a recording with one artifact.

    Attributes:
        start, stop: Samples ``[start, stop)`` at the recording's own rate.
        label: Name of the artifact.
        severity: Mean over the windows of the segment, in [0, 1]; None where it is unknown: nobody defined a scale for
            a label that users added. Files say null (JSON, the page), "" (CSV) or "unknown" (captions).
        confidence: Mean probability of the label over the same windows, in [0, 1].
        channel: Number of the channel, from 0; None when the channels were scanned as one mix.
    """

    start: int
    stop: int
    label: str
    severity: float | None
    confidence: float
    channel: int | None = None


@dataclass(frozen=True)
class Note:
    """A part ``[start, stop)`` of a recording of which something else is to be said, beside the segments in a file."""

    start: int
    stop: int
    label: str


@dataclass(frozen=True)
class Timeline:
    """The artifacts and the measures of one recording, ordered by start.

    Attributes:
        path: The recording.
        sample_rate: Of the recording, in Hz; positions are samples at this rate.
        samples: Length of the recording.
        segments: May be empty.
        labels: Every artifact that the encoder knows: of these, those without a segment were not detected.
        no_data: Ranges ``[start, stop)`` in which the file holds no audio; they were not classified.
        out_of_phase: Ranges in which the channels cancel each other in their mean: one of them has the wrong polarity.
        stream, streams: Index of the audio stream of the recording, and how many it has.
        measured: What the samples say without a network; None where nothing was measured.
        overview: Waveform and spectrogram for the page; None where they were not made.
    """

    path: Path
    sample_rate: int
    samples: int
    segments: tuple[Segment, ...] = ()
    labels: tuple[str, ...] = ()
    no_data: tuple[tuple[int, int], ...] = ()
    out_of_phase: tuple[tuple[int, int], ...] = ()
    stream: int = 0
    streams: int = 1
    measured: Measured | None = None
    overview: Overview | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The measured parts of the recording."""
        return () if self.measured is None else self.measured.findings

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    def to_csv(self, path: str | Path) -> None:
        """One row per segment, measured finding or note; positions in samples and in seconds, to the microsecond.

        Channels count from 0. Notes are ranges labelled "no data" and "out of phase". These and findings have "true" in
        the column ``measured``, and no severity and no confidence; findings have a value and its unit instead.
        """
        columns = ["start", "stop", "start_s", "stop_s", "label", "severity", "confidence", "channel"]
        rows: list[list[object]] = [[*columns, "measured", "value", "unit"]]
        for mark in self._marks():
            seconds = [f"{at / self.sample_rate:.6f}" for at in (mark.start, mark.stop)]
            rows.append([mark.start, mark.stop, *seconds, *_cells(mark)])
        files.write_csv(path, rows)

    def to_json(self, path: str | Path) -> None:
        """All attributes; positions in samples, channels counted from 0. ``docs/measured.md`` lists them."""
        value: dict[str, Any] = {
            "path": str(self.path),
            "stream": self.stream,
            "streams": self.streams,
            "sample_rate": self.sample_rate,
            "samples": self.samples,
            "duration_s": self.duration,
            "labels": list(self.labels),
            "segments": [asdict(s) for s in self.segments],
            "no_data": [list(span) for span in self.no_data],
            "out_of_phase": [list(span) for span in self.out_of_phase],
            "measured": None if self.measured is None else asdict(self.measured),
        }
        if self.measured is not None:
            value["measured"]["findings"] = [{**asdict(finding), "measured": True} for finding in self.findings]
        files.write_json(path, value)

    def to_audacity(self, path: str | Path) -> None:
        """A label track: File > Import > Labels in Audacity, beside the recording; notes and channels as in WebVTT."""
        lines = (
            f"{s.start / self.sample_rate:.6f}\t{s.stop / self.sample_rate:.6f}\t{_line(_caption(s))}"
            for s in self._marks()
        )
        files.write_text(path, "".join(line + "\n" for line in lines))

    def to_webvtt(self, path: str | Path) -> None:
        """Captions for a video player, one cue per segment, finding or note; channels count from 1, as players do."""
        cues = (
            f"\n{number}\n{clock(s.start, self.sample_rate)} --> {clock(s.stop, self.sample_rate)}\n"
            f"{_escape_cue(_line(_caption(s)))}\n"
            for number, s in enumerate(self._marks(), start=1)
        )
        files.write_text(path, "WEBVTT\n" + "".join(cues))

    def _marks(self) -> list[Segment | Finding | Note]:
        """Segments, findings and notes, ordered by start."""
        spans = {NO_DATA: self.no_data, OUT_OF_PHASE: self.out_of_phase}
        notes = [Note(start, stop, label) for label, ranges in spans.items() for start, stop in ranges]
        return sorted([*self.segments, *self.findings, *notes], key=lambda mark: (mark.start, mark.stop))

    def to_html(self, path: str | Path) -> None:
        """A page that opens from disk without a network: lanes, waveform, spectrogram, facts, and sounds to play.

        The sounds are read from ``path``; without the recording the page has none.
        """
        files.write_text(path, timeline_page(self))


def _cells(mark: Segment | Finding | Note) -> list[object]:
    """Label, severity, confidence, channel, measured, value and unit as in a row of CSV."""
    if isinstance(mark, Note):
        return [mark.label, "", "", "", "true", "", ""]
    channel = "" if mark.channel is None else mark.channel
    if isinstance(mark, Finding):
        return [mark.kind, "", "", channel, "true", f"{mark.value:g}", mark.unit]
    severity = "" if mark.severity is None else f"{mark.severity:.4f}"
    return [mark.label, severity, f"{mark.confidence:.4f}", channel, "false", "", ""]


def _caption(mark: Segment | Finding | Note) -> str:
    if isinstance(mark, Note):
        return mark.label
    where = "" if mark.channel is None else f", channel {mark.channel + 1}"
    if isinstance(mark, Finding):
        return f"{mark.kind} (measured: {mark.text}{where})"
    return f"{mark.label} (severity {severity_text(mark.severity)}, confidence {mark.confidence:.2f}{where})"


def severity_text(severity: float | None) -> str:
    """A severity as pages and tables show it.

    >>> severity_text(0.5), severity_text(None)
    ('0.50', 'unknown')
    """
    return "unknown" if severity is None else f"{severity:.2f}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _escape_cue(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clock(sample: int, sample_rate: int) -> str:
    """``hh:mm:ss.mmm``, in integer arithmetic so that long recordings do not drift."""
    thousandths = (sample * 1000 + sample_rate // 2) // sample_rate
    seconds, milli = divmod(thousandths, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milli:03d}"
