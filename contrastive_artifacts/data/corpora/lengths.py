"""Lengths of clips as far as their headers state them: what shards and workers share the work by."""

from __future__ import annotations

from ... import audio
from ...core.errors import ArtifactsError, one_of_many
from .base import Clip

_LEAST_RATE = 4000  # bytes per second of a file that does not state its length: 32 kbit/s


def stated_s(info: audio.AudioInfo) -> float:
    """Length of an audio stream in seconds; at most that of its file at 32 kbit/s where the header states none."""
    return info.duration_s or info.path.stat().st_size / _LEAST_RATE


def clip_s(clip: Clip, stream: audio.Stream = None) -> float:
    """Length of a clip in seconds; 0 of one without a file, and of one that cannot be read."""
    if clip.path is None:
        return 0.0
    try:
        with one_of_many(clip.id):
            return stated_s(audio.probe(clip.path, stream))
    except ArtifactsError:
        return 0.0
