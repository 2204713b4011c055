"""A corpus: named clips, each with the source that it was cut from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ... import audio
from ...core.errors import AudioError, CorpusError


@dataclass(frozen=True)
class Clip:
    """One piece of audio of a corpus.

    Args:
        id: Unique within the corpus; does not depend on where the corpus is stored.
        source: What the clip was cut from (film, recording, speaker); a split never divides a source.
        category: Class of the sound, or an empty string.
        fold: The corpus' official fold, or ``None``.
        path: Its file, or ``None`` for a clip that is synthesised when it is loaded.
        unknown: Artifacts that it may hold already: nothing is concluded from it about these.
    """

    id: str
    source: str
    category: str = ""
    fold: int | None = None
    path: Path | None = None
    unknown: tuple[str, ...] = ()


class Corpus:
    """Clips that can be listed and loaded; a fingerprint identifies the set.

    Args:
        name: Short name, stored with every embedding.
        clips: At least one clip; ids are unique.
        left_out: What its folder holds beside the clips, as a text for people; "" for nothing.

    Raises:
        CorpusError: no clips, or an id that occurs twice.
    """

    def __init__(self, name: str, clips: Iterable[Clip], left_out: str = "") -> None:
        self.name, self.left_out = name, left_out
        self.clips = tuple(clips)
        if not self.clips:
            raise CorpusError(f"Corpus {name!r} has no clips; check its path and its filters.")
        repeated = [clip_id for clip_id, count in Counter(clip.id for clip in self.clips).items() if count > 1]
        if repeated:
            raise CorpusError(
                f"Corpus {name!r} names {len(repeated)} clips twice, the first is {repeated[0]!r}; remove one."
            )

    def __len__(self) -> int:
        return len(self.clips)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, clips={len(self.clips)})"

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        """The clip's waveform, float32 ``[C, T]`` at its native sample rate, and that rate in Hz.

        Raises:
            AudioError: its file cannot be read; the message names it.
            CorpusError: the clip has no file.
        """
        if clip.path is None:
            raise CorpusError(f"Clip {clip.id!r} of corpus {self.name!r} has no file to load.")
        return audio.read(clip.path)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over ids, sources, categories, folds and file sizes, but not over paths."""
        digest = hashlib.blake2b(digest_size=8)
        for clip in sorted(self.clips, key=lambda clip: clip.id):
            row = (clip.id, clip.source, clip.category, clip.fold, _size(clip.path))
            digest.update(repr(row + ((clip.unknown,) if clip.unknown else ())).encode())
        return digest.hexdigest()

    def check(self) -> list[tuple[str, str]]:
        """Loads every clip; ``(clip id, problem)`` of each clip that cannot be loaded, in the order of the clips."""
        problems = []
        for clip in self.clips:
            try:
                self.load(clip)
            except (AudioError, CorpusError) as error:
                problems.append((clip.id, str(error)))
        return problems


def _size(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_size
    except OSError:
        return None  # a missing file is reported by check() or load()
