"""What was heard and measured in a recording, and the files that other programs read it from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..formats import FORMATS
from ..marks import NO_DATA, OUT_OF_PHASE, Mark, Note
from ..marks import Segment as Segment
from ..marks import clock as clock
from ..marks import severity_text as severity_text
from ..measured import Finding, Measured
from ..overview import Overview
from ..timecode import Timecode


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
        timecode: Counts the frames of the picture beside the samples in what is written; None: no time code.
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
    timecode: Timecode | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The measured parts of the recording."""
        return () if self.measured is None else self.measured.findings

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    @property
    def marks(self) -> list[Mark]:
        """Segments, findings and notes, ordered by start."""
        spans = {NO_DATA: self.no_data, OUT_OF_PHASE: self.out_of_phase}
        notes = [Note(start, stop, label) for label, ranges in spans.items() for start, stop in ranges]
        return sorted([*self.segments, *self.findings, *notes], key=lambda mark: (mark.start, mark.stop))

    def write(self, path: str | Path, format: str) -> None:
        """Writes a file of one of the :data:`..formats.FORMATS`; ``docs/formats.md`` describes them.

        Raises:
            UnknownNameError: there is no such format.
            StorageError: the file cannot be written.
        """
        FORMATS[format].write(self, path)

    def to_csv(self, path: str | Path) -> None:
        """One row per segment, measured finding or note; see :func:`..formats.tables.write_csv`."""
        self.write(path, "csv")

    def to_json(self, path: str | Path) -> None:
        """All attributes; see :func:`..formats.document.write_json`."""
        self.write(path, "json")

    def to_audacity(self, path: str | Path) -> None:
        """A label track: File > Import > Labels in Audacity, beside the recording."""
        self.write(path, "audacity")

    def to_webvtt(self, path: str | Path) -> None:
        """Captions for a video player."""
        self.write(path, "webvtt")

    def to_html(self, path: str | Path) -> None:
        """A page that opens from disk without a network, with sounds; see :func:`..formats.page.write_html`."""
        self.write(path, "html")
