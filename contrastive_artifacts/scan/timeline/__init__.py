"""The segments of a recording with artifacts, and the files that other programs read them from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...core import files
from ...core.html import build_page

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
    """The artifacts of one recording, ordered by start.

    Attributes:
        path: The recording.
        sample_rate: Of the recording, in Hz; positions are samples at this rate.
        samples: Length of the recording.
        segments: May be empty.
        labels: Every artifact that the encoder knows: of these, those without a segment were not detected.
        no_data: Ranges ``[start, stop)`` in which the file holds no audio; they were not classified.
        out_of_phase: Ranges in which the channels cancel each other in their mean: one of them has the wrong polarity.
        stream, streams: Index of the audio stream of the recording, and how many it has.
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

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    def to_csv(self, path: str | Path) -> None:
        """One row per segment or note; positions in samples and in seconds, to the microsecond; channels from 0.

        Notes are ranges labelled "no data" and "out of phase", with no severity, no confidence and no channel.
        """
        rows: list[list[object]] = [
            ["start", "stop", "start_s", "stop_s", "label", "severity", "confidence", "channel"]
        ]
        for s in self._marks():
            seconds = [f"{at / self.sample_rate:.6f}" for at in (s.start, s.stop)]
            figures: list[object] = ["", "", ""]
            if isinstance(s, Segment):
                severity = "" if s.severity is None else f"{s.severity:.4f}"
                figures = [severity, f"{s.confidence:.4f}", "" if s.channel is None else s.channel]
            rows.append([s.start, s.stop, *seconds, s.label, *figures])
        files.write_csv(path, rows)

    def to_json(self, path: str | Path) -> None:
        """All attributes; positions in samples, channels counted from 0."""
        value = {
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
        }
        files.write_json(path, value)

    def to_audacity(self, path: str | Path) -> None:
        """A label track: File > Import > Labels in Audacity, beside the recording; notes and channels as in WebVTT."""
        lines = (
            f"{s.start / self.sample_rate:.6f}\t{s.stop / self.sample_rate:.6f}\t{_line(_caption(s))}"
            for s in self._marks()
        )
        files.write_text(path, "".join(line + "\n" for line in lines))

    def to_webvtt(self, path: str | Path) -> None:
        """Captions for a video player, one cue per segment or note; channels are counted from 1, as players do."""
        cues = (
            f"\n{number}\n{clock(s.start, self.sample_rate)} --> {clock(s.stop, self.sample_rate)}\n"
            f"{_escape_cue(_line(_caption(s)))}\n"
            for number, s in enumerate(self._marks(), start=1)
        )
        files.write_text(path, "WEBVTT\n" + "".join(cues))

    def _marks(self) -> list[Segment | Note]:
        """Segments and notes, ordered by start."""
        spans = {NO_DATA: self.no_data, OUT_OF_PHASE: self.out_of_phase}
        notes = [Note(start, stop, label) for label, ranges in spans.items() for start, stop in ranges]
        return sorted([*self.segments, *notes], key=lambda mark: (mark.start, mark.stop))

    def to_html(self, path: str | Path) -> None:
        """A page that opens from disk without a network: one lane per artifact, details under the pointer."""
        name = Path(self.path).name + (f", audio stream {self.stream}" if self.streams > 1 else "")
        data = {
            "name": name,
            "sample_rate": self.sample_rate,
            "samples": self.samples,
            "lanes": [list(lane) for lane in _lanes(self.segments, self.labels)],
            "segments": [[s.start, s.stop, s.label, s.severity, s.confidence, s.channel] for s in self.segments],
            "no_data": [list(span) for span in self.no_data],
            "out_of_phase": [list(span) for span in self.out_of_phase],
        }
        files.write_text(path, build_page(__name__, "timeline", f"{name} – artifacts", {"data": data}))


def _lanes(segments: Sequence[Segment], labels: Sequence[str]) -> list[tuple[str, int | None]]:
    """(label, channel) of each lane: labels in their own order, channels of a label together, empty labels last."""
    known = [*labels, *sorted({s.label for s in segments} - set(labels))]
    occurring = {(s.label, s.channel) for s in segments}
    full = [
        (label, channel)
        for label in known
        for _, channel in sorted(
            (pair for pair in occurring if pair[0] == label), key=lambda pair: -1 if pair[1] is None else pair[1]
        )
    ]
    return full + [(label, None) for label in known if label not in {name for name, _ in occurring}]


def _caption(segment: Segment | Note) -> str:
    if isinstance(segment, Note):
        return segment.label
    where = "" if segment.channel is None else f", channel {segment.channel + 1}"
    severity = severity_text(segment.severity)
    return f"{segment.label} (severity {severity}, confidence {segment.confidence:.2f}{where})"


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
