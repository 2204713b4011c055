"""The audio of a hit: read from its recording, or rendered again where it was a rendered view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ... import artifacts, audio
from ...core.errors import AudioError, StorageError
from ...data.corpora import Clip, Corpus
from ...data.views import cut_window
from .roots import NOWHERE, Roots
from .search import SpanHit

LONGEST_VIEW_S = 600  # of a rendered view, whose memory it takes


def sound_of(
    hit: SpanHit, corpora: Mapping[str, Corpus] | None = None, roots: Roots = NOWHERE
) -> tuple[np.ndarray, int]:
    """float32 [C, T] and the sample rate in Hz; only the channel that was embedded, if it was one.

    Args:
        corpora: Name -> corpus, for hits that are rendered views of its clips.
        roots: Folders of the recordings and of the clips; see :func:`.roots_of`.

    Raises:
        OutsideRootsError: the recording or clip lies outside of the roots.
        StorageError: the recording is not where it was, or its corpus is not given.
        AudioError: it cannot be read.
    """
    metadata = hit.metadata
    if metadata.get("file"):
        path = roots.file(metadata["file"])
        if not path.is_file():
            raise StorageError(f"{path} is no longer there; put it back, or index the archive where it is now.")
        waveform, rate = audio.read(path, hit.start, hit.stop, metadata.get("stream"))
        return channel_of(waveform, metadata), rate
    clean, rate = clean_of(hit, corpora, roots)
    return replayed(clean, rate, metadata).waveform, rate


def channel_of(waveform: np.ndarray, metadata: Mapping[str, Any]) -> np.ndarray:
    """The channel [1, T] of a waveform [C, T] that a row was embedded from; all for a mix.

    Raises:
        AudioError: the recording has no such channel.
    """
    channel = metadata.get("channel")
    if channel is not None and channel >= len(waveform):
        raise AudioError(
            f"{metadata['clip']} has {len(waveform)} channels and no channel {channel + 1}: it changed; index it again."
        )
    return waveform if channel is None else waveform[channel : channel + 1]


def replayed(clean: np.ndarray, rate: int, metadata: Mapping[str, Any]) -> artifacts.RenderedView:
    """The view of a row, rendered again from its clean twin.

    Raises:
        AudioError: the params in the row do not fit.
    """
    try:
        params = metadata["params"]
        return artifacts.replay_view(clean, rate, json.loads(params) if isinstance(params, str) else dict(params))
    except Exception as error:  # the params of a row may hold anything, and the artifacts expect what they wrote
        raise AudioError(
            f"The params of {metadata['clip']} cannot be rendered ({error!r:.200}); probe again."
        ) from error


def clean_of(
    hit: SpanHit, corpora: Mapping[str, Corpus] | None = None, roots: Roots = NOWHERE
) -> tuple[np.ndarray, int]:
    """The clean twin of a rendered view, the part of the clip that it was rendered from: float32 [1, T], rate in Hz.

    Raises:
        OutsideRootsError: the clip is a file outside of the roots.
        StorageError: the view's corpus is not given, or does not have the clip.
        AudioError: it cannot be read.
    """
    name = hit.metadata.get("corpus", "")
    if hit.stop - hit.start > LONGEST_VIEW_S * hit.sample_rate:
        raise AudioError(f"The view of {hit.metadata['clip']} is longer than {LONGEST_VIEW_S} s; probe again.")
    corpus = (corpora or {}).get(name)
    clip = _clips(corpus).get(hit.metadata["clip"]) if corpus else None
    if corpus is None or clip is None:
        raise StorageError(
            f"{hit.metadata['clip']} is a rendered view of corpus {name!r}, which is not here; give that corpus."
        )
    if clip.path is None:
        waveform, rate = corpus.load(clip)
        return cut_window(audio.mono(waveform)[None], hit.start, hit.stop - hit.start), rate
    path = roots.file(clip.path)
    if not path.is_file():
        raise StorageError(f"{path} is no longer there; put it back.")
    # Only this part is read, however long the clip is; where the clip ends before it, cut_window() extends it.
    waveform, rate = audio.read(path, hit.start, hit.stop)
    return cut_window(audio.mono(waveform)[None], 0, hit.stop - hit.start), rate


def write_clips(folder: str | Path, hits: list[tuple[SpanHit, np.ndarray, int]], suffix: str = ".wav") -> list[Path]:
    """Writes hits with their waveforms [C, T] and rates as ``01_recording_start.wav`` (float) or ``.flac`` (24 bits).

    Samples are written unchanged, but for FLAC, which cannot exceed full scale: a louder waveform is scaled to it.

    Returns:
        The files, in the order of the hits.
    """
    written = []
    for rank, (hit, waveform, rate) in enumerate(hits, start=1):
        start = hit.time.partition(" ")[0].replace(":", "-")
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in Path(hit.name).name)
        path = Path(folder) / f"{rank:02d}_{name}_{start}{suffix}"
        peak = audio.peak(waveform)
        too_loud = suffix == ".flac" and peak > 1.0
        audio.write(path, waveform / np.float32(peak) if too_loud else waveform, rate)
        written.append(path)
    return written


def run_of_index(directory: str | Path) -> Path | None:
    """The probed run that an index at ``<run>/index`` belongs to; None for other indexes."""
    run = Path(directory).resolve().parent
    return run if all((run / name).is_file() for name in ("config.json", "probing.json")) else None


@lru_cache(maxsize=16)
def _clips(corpus: Corpus) -> dict[str, Clip]:
    return {clip.id: clip for clip in corpus.clips}
