"""What a timeline marks in a recording: segments, measured findings and notes; and how texts name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .measured import Finding

NO_DATA, OUT_OF_PHASE = "no data", "out of phase"  # labels of notes
UNKNOWN_SEVERITY = 0.5  # for order and damage, of labels that users added


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

    channel: ClassVar[None] = None

    start: int
    stop: int
    label: str


Mark = Segment | Finding | Note


def importance(severity: float | None, confidence: float | None) -> tuple[float, float]:
    """Sorts findings, the largest first: by severity, then by confidence; measured ones (None, None) come last."""
    if confidence is None:
        return (0.0, 0.0)
    return (UNKNOWN_SEVERITY if severity is None else severity, confidence)


def name_of(mark: Mark) -> str:
    """The artifact of a segment, the kind of a finding, or the label of a note."""
    return mark.kind if isinstance(mark, Finding) else mark.label


def caption(mark: Mark) -> str:
    """A mark in one line, channels counted from 1.

    >>> caption(Segment(0, 9, "hum", 0.25, 0.9, channel=1))
    'hum (severity 0.25, confidence 0.90, channel 2)'
    """
    details = detail(mark)
    return one_line(f"{name_of(mark)} ({details})" if details else name_of(mark))


def detail(mark: Mark) -> str:
    """What is known of a mark beside its name and place; "" of a note."""
    if isinstance(mark, Note):
        return ""
    where = "" if mark.channel is None else f", channel {mark.channel + 1}"
    if isinstance(mark, Finding):
        return f"measured: {mark.text}{where}"
    return f"severity {severity_text(mark.severity)}, confidence {mark.confidence:.2f}{where}"


def severity_text(severity: float | None) -> str:
    """A severity as pages and tables show it.

    >>> severity_text(0.5), severity_text(None)
    ('0.50', 'unknown')
    """
    return "unknown" if severity is None else f"{severity:.2f}"


def one_line(text: str) -> str:
    """The text without line ends and tabs, which formats of lines and columns cannot hold."""
    return " ".join(text.split())


def clock(sample: int, sample_rate: int) -> str:
    """``hh:mm:ss.mmm``, in integer arithmetic so that long recordings do not drift."""
    thousandths = (sample * 1000 + sample_rate // 2) // sample_rate
    seconds, milli = divmod(thousandths, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milli:03d}"
