"""Frozen records of checkpoints: what the weights are, where they come from, and which architecture they fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...core.errors import WeightsError
from .contract import Backbone

State = dict[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """The content of a third-party file under this package's names: the backbone's part and the AudioSet head's.

    ``options`` are those of the architecture that the file itself states, where files of one family differ.
    """

    backbone: State
    head: State
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One published file.

    Args:
        filename: As published, or the model's name where every model's file is called the same; its name in the cache.
        url: Where it is downloaded from.
        size: Bytes; ``None`` while the file is unpinned (never downloaded and hashed by the authors of this record).
        sha256: Hex digest; ``None`` while unpinned.
        read: Converts the file; raises :class:`WeightsError` when it cannot be read.
        options: What the architecture must be built with for this file, besides what the checkpoint says.
        terms: Where the licence stands that whoever uses the file has to accept first; such a file is never downloaded.
    """

    filename: str
    url: str
    size: int | None
    sha256: str | None
    read: Callable[[Path], Weights]
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: str | None = None

    @property
    def suffix(self) -> str:
        return Path(self.filename).suffix


@dataclass(frozen=True)
class Found:
    """What a repository holds, for checkpoints that stand for any of a kind.

    Args:
        options: Of the architecture, plain JSON.
        backbone: Its tensors under this package's names; ``None`` for random ones.
        weights: What was loaded, for the record.
        sha256: Of the file of weights.
        licence: Where it is stated.
    """

    options: Mapping[str, Any]
    backbone: State | None
    weights: str
    sha256: str | None
    licence: str | None


@dataclass(frozen=True)
class Checkpoint:
    """One backbone that can be created by name.

    Args:
        name: "yamnet", "mn04".
        build: Architecture from the options below; raises ParameterError or TypeError for others.
        sources: Files that hold these weights, best first; none where the architecture has no public weights.
        licence: Of the weights (SPDX), which need not be that of the code.
        code_licence: Of the published code.
        origin: Who published them, where.
        paper: URL.
        published: Published facts ("parameters", with the head, in evaluation form; "map", AudioSet mAP).
        head: The published AudioSet classifier, giving logits, or ``None``.
        clip_head: Whether that head takes one vector a clip (True; see :class:`Tagger`) or every frame (False).
        options: Of the architecture as published.
        scratch: Of the architecture as trained from random weights; ``None`` where that is the same.
        find: Looks a model up by its id in place of ``sources``: (weights, cache, options) -> :class:`Found`.
    """

    name: str
    build: Callable[..., Backbone]
    sources: tuple[Source, ...]
    licence: str
    code_licence: str
    origin: str
    paper: str
    published: Mapping[str, float]
    head: Callable[[], nn.Module] | None = None
    clip_head: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    scratch: Mapping[str, Any] | None = None
    find: Callable[[str | Path, Path | None, Mapping[str, Any]], Found] | None = None

    def source_of(self, path: Path) -> Source:
        """The source whose file name, or else whose suffix, is that of ``path``.

        Raises:
            WeightsError: this checkpoint cannot be read from such a file.
        """
        by_name = [s for s in self.sources if s.filename == path.name]
        by_suffix = [s for s in self.sources if s.suffix == path.suffix]
        for source in (*by_name, *by_suffix):
            return source
        known = ", ".join(s.suffix for s in self.sources)
        raise WeightsError(
            f"{path} cannot hold weights of {self.name}: expected a file ending in {known} or .safetensors."
        )


def load_strict(module: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Loads ``state`` into ``module`` when every key and shape matches and every value is finite.

    Raises:
        WeightsError: a key is missing, unexpected, of another shape or not finite; names ``what`` and the keys.
    """
    own = module.state_dict()
    problems = {
        "missing": [k for k in own if k not in state],
        "unexpected": [k for k in state if k not in own],
        "of another shape": [
            f"{k} {tuple(state[k].shape)} for {tuple(own[k].shape)}"
            for k in own
            if k in state and state[k].shape != own[k].shape
        ],
        "not finite": [k for k, v in state.items() if v.is_floating_point() and not bool(v.isfinite().all())],
    }
    if any(problems.values()):
        found = "; ".join(f"{len(keys)} {kind}: {_some(keys)}" for kind, keys in problems.items() if keys)
        raise WeightsError(f"The weights in {what} do not fit: {found}. Use the file that the checkpoint record names.")
    module.load_state_dict(dict(state))


def _some(keys: list[str], most: int = 8) -> str:
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "")
