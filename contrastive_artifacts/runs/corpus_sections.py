"""The sections of a configuration that name recordings, their split and artifacts, as the objects they configure.

They are all that rendering and curation need, so that no network is loaded for these. Sections are checked as those of
a training are, see :mod:`.sections`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..core.errors import ParameterError
from ..core.typed import mapping, options, settings
from ..data import corpora
from ..data.corpora import Clip, Corpus


@dataclasses.dataclass(frozen=True)
class ArtifactsSection:
    """``states`` is a preset or a list of artifacts; ``severity`` the range ``[low, high]`` within [0, 1]."""

    states: str | list[str]
    severity: tuple[float, float] = (0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class SourceSplit:
    """Shares of the sources for each side; a share of 0 leaves the side out."""

    by: Literal["source"]
    train: float = 0.0
    validation: float = 0.0
    test: float = 0.0
    seed: int = 0


def make_corpus(section: Mapping[str, Any], name: str = "corpus") -> Corpus:
    """The corpus of a section ``{"kind": ..., **options}``; options of ``None`` are left out.

    Raises:
        ParameterError: an option that this kind of corpus does not have, or of another type.
        UnknownNameError: no such kind.
        CorpusError: what the options name is missing, empty or inconsistent.
    """
    kind, arguments = check_corpus(section, name)
    return corpora.create(kind, **arguments)


def make_corpora(named: Mapping[str, Mapping[str, Any]], setting: str = "corpora") -> dict[str, Corpus]:
    """Name -> corpus of each section of the setting ``setting``, see :func:`make_corpus`."""
    return {name: make_corpus(section, f"{setting}.{name}") for name, section in named.items()}


def check_corpus(section: Mapping[str, Any], name: str = "corpus") -> tuple[str, dict[str, Any]]:
    """Kind and checked options of a corpus, without opening it."""
    stated = {key: value for key, value in mapping(section, name).items() if value is not None}
    kind = stated.pop("kind", None)
    if not isinstance(kind, str):
        state = "not given" if kind is None else repr(kind)
        raise ParameterError(f"{name}.kind is {state}; it must be one of {', '.join(corpora.CORPORA)}.")
    return kind, options(corpora.CORPORA[kind], stated, name, also={"curation": str | Path})


def make_splits(corpus: Corpus, section: Mapping[str, Any]) -> dict[str, list[Clip]]:
    """``{"train", "validation"[, "test"]}`` by source or by official fold, as the section ``split`` says.

    Raises:
        ParameterError: another ``by``, or a setting that it does not have.
        SplitError: sources or folds that cannot fill the sides.
    """
    by, arguments = split_options(section)
    if by == "fold":
        return corpora.split_folds(corpus.clips, **arguments)
    shares = {side: share for side, share in arguments.items() if side != "seed" and share}
    return corpora.split(corpus.clips, shares, arguments.get("seed", 0))


def split_options(section: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """``by`` and the checked options of a split."""
    arguments = dict(mapping(section, "split"))
    by = arguments.pop("by", None)
    if by == "source":
        settings(SourceSplit, section, "split")
    elif by == "fold":
        options(_folds, arguments, "split")
    else:
        raise ParameterError(f"split.by must be 'source' or 'fold', so that no source is on two sides; got {by!r}.")
    return by, arguments


def _folds(test: int, validation: int) -> None:
    """The settings of a split by official folds."""
