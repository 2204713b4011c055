"""Records of checkpoints: their files, licence and origin, and the architecture that they fit."""

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
    """Content of a published file under the names of this package: tensors of the backbone and of the AudioSet head.

    ``options`` are options of the architecture that are stored in the file, for families whose files differ.
    """

    backbone: State
    head: State
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One published file.

    Args:
        filename: Name in the cache: as published, or the name of the model if all models have the same file name.
        url: Address of the file.
        size: In bytes; ``None`` if it is not known.
        sha256: Hex digest; ``None`` if it is not known.
        read: Converts the file; raises :class:`WeightsError` if it cannot be read.
        options: Options of the architecture for this file, in addition to those of the checkpoint.
        terms: Address of a licence that the user must accept first; such a file is never downloaded.
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
class HubModel:
    """A model from a repository, for checkpoints that stand for many models.

    Args:
        options: Options of the architecture, plain JSON.
        backbone: Tensors under the names of this package; ``None`` for random weights.
        weights: Name of the model, for the record.
        sha256: Of the file of weights.
        licence: Address of the licence.
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
        build: Creates the architecture from ``options``; raises ParameterError or TypeError for others.
        sources: Files with these weights, best first; empty if there are no public weights.
        licence: Of the weights (SPDX); the code may have another one.
        code_licence: Of the published code.
        origin: Publisher and place of publication.
        paper: URL.
        published: Published facts ("parameters", with the head, in evaluation form; "map", AudioSet mAP).
        head: Creates the published AudioSet classifier, which returns logits; or ``None``.
        clip_head: Whether the head takes one vector per clip (True; see :class:`Tagger`) or each frame (False).
        options: Options of the published architecture.
        scratch: Options of the architecture for training from random weights; ``None`` if they are the same.
        find: Finds a model by its id, in place of ``sources``: (weights, cache, options) -> :class:`HubModel`.
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
    find: Callable[[str | Path, Path | None, Mapping[str, Any]], HubModel] | None = None

    def source_of(self, path: Path) -> Source:
        """The source with the file name of ``path``, or else with its suffix.

        Raises:
            WeightsError: there is none.
        """
        by_name = [s for s in self.sources if s.filename == path.name]
        by_suffix = [s for s in self.sources if s.suffix == path.suffix]
        for source in (*by_name, *by_suffix):
            return source
        suffixes = ", ".join(s.suffix for s in self.sources)
        raise WeightsError(
            f"{path} cannot hold weights of {self.name}: expected a file ending in {suffixes} or .safetensors."
        )


def load_strict(module: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Loads ``state`` into ``module`` if all keys and shapes match and all values are finite.

    Args:
        what: Source of the tensors, for messages.

    Raises:
        WeightsError: a key is missing or unexpected, or a tensor has another shape or is not finite.
    """
    expected = module.state_dict()
    problems = {
        "missing": [k for k in expected if k not in state],
        "unexpected": [k for k in state if k not in expected],
        "of another shape": [
            f"{k} {tuple(state[k].shape)} for {tuple(expected[k].shape)}"
            for k in expected
            if k in state and state[k].shape != expected[k].shape
        ],
        "not finite": [k for k, v in state.items() if v.is_floating_point() and not bool(v.isfinite().all())],
    }
    if any(problems.values()):
        lists = "; ".join(f"{len(keys)} {kind}: {_some(keys)}" for kind, keys in problems.items() if keys)
        raise WeightsError(f"The weights in {what} do not fit: {lists}. Use the file that the checkpoint record names.")
    module.load_state_dict(dict(state))


def _some(keys: list[str], most: int = 8) -> str:
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "")
