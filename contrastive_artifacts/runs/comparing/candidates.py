"""Candidates of a comparison: a backbone with the best weights on this machine, or a trained encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...core import files
from ...core.errors import ArtifactsError, ParameterError, WeightsError
from ...embedding import Embedder, encoder_folder, open_embedder
from ...models import backbones
from ...models.backbones import BACKBONES, Backbone, Checkpoint, hub
from ...models.baselines import FrozenBackbone
from .. import corpus_sections
from ..measure import ViewEmbedder

PUBLISHED, GIVEN, OURS, RANDOM, TRAINED = "published", "given", "ours", "random", "trained"
RANDOM_SEED = 0


@dataclass(frozen=True)
class Candidate:
    """A network of the comparison; plain data, so that another process can load it.

    Args:
        name: Of the backbone or the encoder.
        kind: Origin of its weights: "published" (a file that its authors published), "given" (a file or folder of the
            user), "ours" (the backbone of an encoder of this package, which was trained on artifacts), "random", or
            "trained" (an encoder with its heads).
        weights: File, folder, or "none".
        options: Of the architecture, as :func:`.backbones.create` takes them.
    """

    name: str
    kind: str
    weights: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Backbone | Embedder[Any]:
        """The backbone in evaluation mode, or the embedder of a trained encoder; random weights are always the same.

        Raises:
            WeightsError, StorageError: its files are damaged or do not fit.
        """
        if self.kind == TRAINED:
            return open_embedder(self.weights)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(RANDOM_SEED)
            if self.kind != RANDOM:
                return backbones.create(self.name, self.weights, **self.options)
            as_published = {**BACKBONES[self.name].options, **self.options}  # not as it would be trained from scratch
            return backbones.create(self.name, "none", **as_published)

    def trained_on(self) -> frozenset[str] | None:
        """Sources with artifacts that it was trained on; None where that was not recorded."""
        if self.kind != TRAINED:
            return None if self.kind in (OURS, GIVEN) else frozenset()
        folder = encoder_folder(self.weights)
        try:
            config = files.read_json((folder.parent if folder.name == "encoder" else folder) / "config.json")
            splits = corpus_sections.make_splits(corpus_sections.make_corpus(config["corpus"]), config["split"])
        except (ArtifactsError, KeyError, TypeError):
            return None
        held_out = "test" if "test" in splits else "validation"
        return frozenset(clip.source for side, clips in splits.items() if side != held_out for clip in clips)


def embedder(network: Backbone | Embedder[Any]) -> ViewEmbedder:
    """The network as it is used: h of an encoder's windows; mean and maximum over the frames of a backbone."""
    return network if isinstance(network, Embedder) else FrozenBackbone(backbones.freeze(network))


def fingerprint(network: Backbone | Embedder[Any]) -> str:
    """Hash over tensors and architecture."""
    if isinstance(network, Embedder):
        return network.fingerprint
    digest = hashlib.sha256(repr(sorted(network.record.items())).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def choose(entry: str | Mapping[str, Any], random: bool, download: bool) -> Candidate:
    """The backbone with the best available weights: a named file, else the published file in the cache, else weights of
    this package, else random ones.

    Args:
        entry: A name in ``BACKBONES``, or ``{"name": ..., "weights": "auto" | "none" | FILE | FOLDER, **options}``.
        random: Whether random weights are accepted.
        download: Whether published files that are not in the cache are downloaded.

    Raises:
        UnknownNameError: no such backbone.
        WeightsError: there are no weights, and random ones are not accepted; or a file is altered.
        ParameterError: the entry has no name.
    """
    options = {"name": entry} if isinstance(entry, str) else dict(entry)
    if "name" not in options:
        raise ParameterError(f"A backbone is a name, or a mapping with a name; got {dict(options)}.")
    name, weights = options.pop("name"), str(options.pop("weights", "auto"))
    checkpoint = BACKBONES[name]
    if weights not in ("auto", "none"):
        return Candidate(name, _kind(checkpoint, Path(weights)), weights, options)
    if weights == "auto":
        published = _published(checkpoint, options, download)
        if published is not None:
            return Candidate(name, PUBLISHED, published, options)
        bundled = hub.bundled(name)
        if bundled is not None:
            return Candidate(name, OURS, str(bundled), options)
    if not random:
        raise WeightsError(f"{name} is left out: {missing(name)}.")
    candidate = Candidate(name, RANDOM, "none", options)
    if checkpoint.find is not None:
        candidate.load()  # raises here where the architecture needs files that are missing
    return candidate


def missing(name: str) -> str:
    """The published file that this machine does not have, and where to put it."""
    checkpoint = BACKBONES[name]
    if checkpoint.find is not None:
        return "its files are not in the cache of the Hugging Face hub"
    if not checkpoint.sources:
        return "no weights were published"
    source = checkpoint.sources[0]
    return f"put {source.filename} from {source.url} into {hub.cache_folder()}"


def _published(checkpoint: Checkpoint, options: Mapping[str, Any], download: bool) -> str | None:
    if checkpoint.find is not None:
        try:
            backbones.create(checkpoint.name, "auto", **options)
        except WeightsError:
            return None
        return "auto"
    path = hub.known_file(checkpoint, hub.cache_folder())
    if path is None and download and checkpoint.sources:
        try:
            path = hub.locate(checkpoint)
        except WeightsError:
            return None  # reported with everything else that is missing
    return None if path is None else str(path)


def _kind(checkpoint: Checkpoint, path: Path) -> str:
    """The kind of given weights; a file with a published name is checked against the record when it is loaded."""
    names = {source.filename for source in checkpoint.sources}
    inside = path.is_dir() and any((path / name).is_file() for name in names)
    return PUBLISHED if inside or path.name in names else GIVEN
