"""Decoded clips in memory."""

from __future__ import annotations

import logging

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import ArtifactsError, one_of_many
from ..corpora import Clip, Corpus

_log = logging.getLogger("contrastive_artifacts")
CACHE_BYTES = 256 * 2**20


class ClipCache:
    """Decoded clips in memory, bounded in bytes; clips that cannot be read are remembered and not tried again.

    Args:
        corpus: Where the clips are loaded from.
        limit: Bytes of all decoded clips together; the newest clip is stored even if it alone is larger.

    Attributes:
        bad: Id of each clip that cannot be read -> the reason.
    """

    def __init__(self, corpus: Corpus, limit: int = CACHE_BYTES) -> None:
        self.corpus = corpus
        self.bad: dict[str, str] = {}
        self._decoded: ByteCache[tuple[np.ndarray, int]] = ByteCache(limit)

    def load(self, clip: Clip) -> tuple[np.ndarray, int] | None:
        """The clip as mono float32 [1, T] and its rate in Hz; None, with a warning, if it is one of ``bad``."""
        decoded = self._decoded.get(clip.id)
        if decoded is not None or clip.id in self.bad:
            return decoded
        try:
            with one_of_many(clip.id):
                waveform, rate = self.corpus.load(clip)
        except ArtifactsError as error:
            self.bad[clip.id] = str(error)
            _log.warning("%s is left out: %s", clip.id, error)
            return None
        mono = audio.mono(waveform)[None]
        return self._decoded.put(clip.id, (mono, rate), mono.nbytes)
