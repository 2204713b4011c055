"""The sound of a span that was found: cut from its recording, or rendered again where it was a rendered view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from ... import artifacts, audio
from ...core.errors import StorageError
from ...data.corpora import Clip, Corpus
from ...data.views import cut_window
from .search import Found


def sound_of(found: Found, corpora: Mapping[str, Corpus] | None = None) -> tuple[np.ndarray, int]:
    """float32 [C, T] and the rate in Hz; only the channel that was embedded, if it was one.

    Args:
        corpora: Name -> corpus, for spans that are rendered views of its clips.

    Raises:
        StorageError: the recording is no longer where it was, or its corpus is not given.
        AudioError: it cannot be read.
    """
    facts = found.metadata
    if facts.get("file"):
        path = Path(facts["file"])
        if not path.is_file():
            raise StorageError(f"{path} is no longer there; put it back, or index the archive where it is now.")
        waveform, rate = audio.read(path, found.start, found.stop)
        channel = facts.get("channel")
        return (waveform if channel is None else waveform[channel : channel + 1]), rate
    clean, rate = clean_of(found, corpora)
    return artifacts.replay(clean, rate, json.loads(facts["params"])), rate


def clean_of(found: Found, corpora: Mapping[str, Corpus] | None = None) -> tuple[np.ndarray, int]:
    """The clean twin of a rendered view, the stretch of the clip that it was rendered from: float32 [1, T], rate in Hz.

    Raises:
        StorageError: the view's corpus is not given, or no longer has the clip.
        AudioError: it cannot be read.
    """
    name = found.metadata.get("corpus", "")
    corpus = (corpora or {}).get(name)
    clip = _clips(corpus).get(found.metadata["clip"]) if corpus else None
    if corpus is None or clip is None:
        raise StorageError(f"{found.metadata['clip']} is a rendered view of corpus {name!r}, which is not here.")
    if clip.path is None:
        waveform, rate = corpus.load(clip)
        return cut_window(audio.mono(waveform)[None], found.start, found.stop - found.start), rate
    if not clip.path.is_file():
        raise StorageError(f"{clip.path} is no longer there; put it back.")
    # The stretch alone is read, however long the clip is; what a clip lacks at its end, cut_window() adds.
    waveform, rate = audio.read(clip.path, found.start, found.stop)
    return cut_window(audio.mono(waveform)[None], 0, found.stop - found.start), rate


def write_clips(folder: str | Path, spans: list[tuple[Found, np.ndarray, int]], suffix: str = ".wav") -> list[Path]:
    """Writes each span as ``01_recording_start.wav`` or ``.flac``, float or 24 bits, unaltered.

    A span over full scale, which FLAC cannot hold, is lowered to it.
    """
    written = []
    for rank, (found, waveform, rate) in enumerate(spans, start=1):
        at = found.time.partition(" ")[0].replace(":", "-")
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in Path(found.name).name)
        path = Path(folder) / f"{rank:02d}_{name}_{at}{suffix}"
        loudest = audio.peak(waveform)
        lowered = suffix == ".flac" and loudest > 1.0
        audio.write(path, waveform / np.float32(loudest) if lowered else waveform, rate)
        written.append(path)
    return written


def run_of_index(directory: str | Path) -> Path | None:
    """The probed run that an index lies in, if it does: ``<run>/index``."""
    run = Path(directory).resolve().parent
    return run if all((run / name).is_file() for name in ("config.json", "probing.json")) else None


@lru_cache(maxsize=16)
def _clips(corpus: Corpus) -> dict[str, Clip]:
    return {clip.id: clip for clip in corpus.clips}
