"""The sounds that pages of scans hold: findings with a second around them, the most important ones first."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import audio
from ..audio.preview import encode_preview
from ..core.errors import AudioError

CONTEXT_S = 1.0  # before and after a finding
LONGEST_S = 8.0  # of a finding that is played
PAGE_BYTES = 12_000_000  # of all sounds of a page, as they are stored in it


@dataclass(frozen=True)
class Span:
    """Samples ``[start, stop)`` of one channel of a recording, of all channels for None."""

    start: int
    stop: int
    channel: int | None = None


@dataclass(frozen=True)
class Sound:
    """A part of a recording, encoded.

    Attributes:
        span: The samples that it holds.
        text: The sound file in base64: mono, MP3, or FLAC where libsndfile has no MP3.
        mime: Its MIME type.
    """

    span: Span
    text: str
    mime: str


def sounds_of(
    path: Path, stream: int, sample_rate: int, samples: int, findings: Sequence[Span], limit: int = PAGE_BYTES
) -> tuple[list[Sound], list[int]]:
    """The sounds of findings, each read by itself.

    Of a finding of more than eight seconds the first eight are taken. Findings that lie in a sound that is there
    already share it. Level is not changed, but for parts beyond full scale.

    Args:
        path: The recording.
        stream: Index of its audio stream.
        sample_rate: Hz.
        samples: Length of the recording.
        findings: In the order in which they get a sound.
        limit: Bytes of all texts together. At the first finding whose sound does not fit, no more are added.

    Returns:
        The sounds, and of each finding the place of its sound among them, or -1: no room, or the recording cannot be
        read there or is not in its place any more.
    """
    sounds: list[Sound] = []
    places = [-1] * len(findings)
    if not path.is_file():
        return sounds, places
    room = limit
    for number, finding in enumerate(findings):
        span = _around(finding, sample_rate, samples)
        place = next((n for n, sound in enumerate(sounds) if _holds(sound.span, span)), -1)
        if place < 0 and room > 0:
            for sound in _sound(path, stream, span):
                room = room - len(sound.text) if len(sound.text) <= room else 0
                if room:
                    place = len(sounds)
                    sounds.append(sound)
        places[number] = place
    return sounds, places


def _around(finding: Span, sample_rate: int, samples: int) -> Span:
    context, longest = round(CONTEXT_S * sample_rate), round(LONGEST_S * sample_rate)
    stop = min(finding.stop, finding.start + longest)
    return Span(max(0, finding.start - context), min(samples, stop + context), finding.channel)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.channel == inner.channel and outer.start <= inner.start and inner.stop <= outer.stop


def _sound(path: Path, stream: int, span: Span) -> Iterator[Sound]:
    """The sound of a span; none where the recording cannot be read."""
    try:
        waveform, rate = audio.glimpse(path, span.start, span.stop, stream)
    except AudioError:
        return
    if span.channel is not None and span.channel >= len(waveform):
        return
    mono = audio.channel_or_mix(waveform, span.channel)
    data, mime = encode_preview(mono[None], rate, seconds=LONGEST_S + 2 * CONTEXT_S + 1)
    yield Sound(span, base64.b64encode(data).decode(), mime)
