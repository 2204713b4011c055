"""A corpus from a file or a folder, without a description."""

from __future__ import annotations

from pathlib import Path

from ... import audio
from ...core.errors import CorpusError
from .. import corpora
from ..corpora import Clip, Corpus
from ..corpora.listing import is_folder


def corpus_at(path: str | Path, besides: str | Path | None = None) -> Corpus:
    """One audio file, or all audio files under a folder; each file is its own source.

    Args:
        path: A file that can be decoded, or a folder; or the address of one.
        besides: A folder to skip: if the dataset is rendered into ``path``, its files must not be rendered again.

    Raises:
        CorpusError: there is no such file or folder, or no audio in it.
    """
    path = audio.location(path)
    if not (folder := is_folder(path)) and path.is_file():
        return Corpus(path.stem, [Clip(id=path.name, source=path.name, path=path)])
    if not folder:
        raise CorpusError(f"{path} does not exist; give a recording, or a folder of recordings.")
    corpus = corpora.create("folder", path=path)
    if besides is None or audio.is_address(path):
        return corpus
    skipped = Path(besides).resolve()
    clips = [clip for clip in corpus.clips if clip.path and not clip.path.resolve().is_relative_to(skipped)]
    return Corpus(corpus.name, clips)
