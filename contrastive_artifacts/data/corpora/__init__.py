"""Corpora of clean clips, and splits of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...core.errors import ParameterError
from ...core.registry import Registry
from .archive_org import archive_org
from .base import Clip as Clip
from .base import Corpus as Corpus
from .curated import curated as curated
from .esc50 import esc50
from .folder import folder
from .split import split as split
from .split import split_folds as split_folds


def _builtin(seed: int = 0, sources: int = 160, duration_s: float = 5.0, sample_rate: int = 44100) -> Corpus:
    from .builtin import builtin  # loads the synthesis only when it is used

    return builtin(seed, sources, duration_s, sample_rate)


CORPORA: Registry[Callable[..., Corpus]] = Registry("corpus")
CORPORA.register("folder", folder)
CORPORA.register("esc50", esc50)
CORPORA.register("builtin", _builtin)
CORPORA.register("archive_org", archive_org)


def create(kind: str, *, curation: str | Path | None = None, **options: Any) -> Corpus:
    """Creates a corpus of a kind: "folder", "esc50", "builtin" or "archive_org".

    Args:
        kind: One of :data:`CORPORA`.
        curation: A manifest (see :func:`.curated.curated`); the corpus has only the clips that it keeps.
        options: Arguments of the factory of that kind.

    Raises:
        UnknownNameError: no such kind.
        ParameterError: options that the factory does not have.
        CorpusError: a folder, file or archive named by the options is missing, empty or inconsistent.
    """
    factory = CORPORA[kind]
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        raise ParameterError(f"Corpus {kind!r} with options {sorted(options)}: {error}.") from None
    corpus = factory(**options)
    return corpus if curation is None else curated(corpus, curation)
