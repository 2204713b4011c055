"""A file or a folder, as it is, as a corpus."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import CorpusError
from .. import corpora
from ..corpora import Clip, Corpus


def corpus_at(path: str | Path, besides: str | Path | None = None) -> Corpus:
    """The audio of a file, or of all files under a folder; each file is a source of its own.

    Args:
        path: A file of any kind that can be decoded, or a folder.
        besides: A folder to pass over: what is rendered into the folder that is read must not be rendered again.

    Raises:
        CorpusError: there is no such file or folder, or no audio in it.
    """
    path = Path(path)
    if path.is_file():
        return Corpus(path.stem, [Clip(id=path.name, source=path.name, path=path)])
    if not path.is_dir():
        raise CorpusError(f"{path} does not exist; give a recording, or a folder of recordings.")
    found = corpora.create("folder", path=path)
    if besides is None:
        return found
    kept = [
        clip for clip in found.clips if clip.path and not clip.path.resolve().is_relative_to(Path(besides).resolve())
    ]
    return Corpus(found.name, kept)
