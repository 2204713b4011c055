"""Creates backbones by name, with their weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from ...core import files
from ...core.errors import ParameterError, StorageError, WeightsError
from ...core.registry import Registry
from ..encoder_files import TENSORS
from . import (
    atst,
    beats,
    byol_a,
    clap,
    dasheng,
    dymn,
    eat,
    efficientat,
    fast,
    fpasst,
    frame_mn,
    hf,
    hub,
    m2d,
    panns,
    passt,
    spectrogram_transformer,
    yamnet,
)
from .audioset import Tagger
from .contract import Backbone
from .lora import adapt_as
from .spec import Checkpoint, HubModel, Weights, load_strict

BACKBONES: Registry[Checkpoint] = Registry("backbone")
for _checkpoint in (
    *yamnet.CHECKPOINTS,
    *efficientat.CHECKPOINTS,
    *dymn.CHECKPOINTS,
    *panns.CHECKPOINTS,
    *byol_a.CHECKPOINTS,
    *passt.CHECKPOINTS,
    *spectrogram_transformer.CHECKPOINTS,
    *clap.CHECKPOINTS,
    *hf.CHECKPOINTS,
    *eat.CHECKPOINTS,
    *dasheng.CHECKPOINTS,
    *beats.CHECKPOINTS,
    *atst.CHECKPOINTS,
    *fpasst.CHECKPOINTS,
    *m2d.CHECKPOINTS,
    *frame_mn.CHECKPOINTS,
    *fast.CHECKPOINTS,
):
    BACKBONES.register(_checkpoint.name, _checkpoint)

PREFIX = "backbone."  # prefix of the backbone's tensors in the file of an encoder
_log = logging.getLogger("contrastive_artifacts")


def create(
    name: str,
    weights: str | Path = "auto",
    cache: Path | None = None,
    lora: Mapping[str, Any] | None = None,
    **options: Any,
) -> Backbone:
    """A backbone in evaluation mode, with its weights and its ``record``.

    Args:
        name: A name in ``BACKBONES``.
        weights: "auto": the published file, from the cache or downloaded. If that is impossible, the backbone of an
            encoder in this package, with a warning. "none": random weights, and batch norms that are trained.
            Otherwise a published file, an ``encoder.safetensors`` with its ``encoder.json``, or a folder with one.
        cache: Folder for "auto"; see :func:`hub.cache_folder`.
        lora: Options of :func:`.lora.adapt`, to train low-rank corrections of its layers in place of its weights.
        options: Options of the architecture that differ from the published ones (``patchout=0.3``), or the name of a
            model on the Hugging Face hub (``id="facebook/wav2vec2-base"``).

    Raises:
        UnknownNameError: no such backbone.
        WeightsError: the file is missing, altered, or does not match the architecture in full, or an option is unknown.
    """
    if lora is not None:
        return adapt_as(create(name, weights, cache, **options), lora)
    checkpoint = BACKBONES[name]
    if checkpoint.find is not None and not _is_encoder(weights):
        return _from_repository(checkpoint, checkpoint.find(weights, cache, options))
    if weights == "none":
        scratch = checkpoint.options if checkpoint.scratch is None else checkpoint.scratch
        return build(_record(checkpoint, "none", None, None, {**scratch, **options}))
    path = _locate_or_bundled(checkpoint, cache) if weights == "auto" else _given(checkpoint, Path(weights))
    published = any(source.suffix == ".safetensors" for source in checkpoint.sources)
    if path.name == TENSORS or (path.suffix == ".safetensors" and not published):
        return _from_encoder(checkpoint, path)
    return _from_published(checkpoint, path, options)[0]


def create_tagger(name: str, weights: str | Path = "auto", cache: Path | None = None) -> Tagger:
    """The backbone with its published AudioSet head.

    Args:
        name: A name in ``BACKBONES``.
        weights: "auto", a published file, or a folder with one.
        cache: Folder for "auto"; see :func:`hub.cache_folder`.

    Raises:
        WeightsError: as :func:`create`, or there is no head.
    """
    checkpoint = BACKBONES[name]
    if checkpoint.head is None:
        raise WeightsError(f"{name} was published without an AudioSet classifier; use create({name!r}).")
    path = hub.locate(checkpoint, cache) if weights == "auto" else _given(checkpoint, Path(weights))
    backbone, content = _from_published(checkpoint, path, {})
    head = checkpoint.head()
    load_strict(head, content.head, f"{path} (AudioSet head)")
    return Tagger(backbone, head, checkpoint.clip_head).eval()


def build(record: dict[str, Any]) -> Backbone:
    """The architecture of a backbone's ``record``, in evaluation mode, with random weights.

    Raises:
        UnknownNameError: no such backbone.
        WeightsError: the record was not written by :func:`create`.
    """
    try:
        checkpoint, options = BACKBONES[record["backbone"]], dict(record["options"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"This is not the record of a backbone ({error!r}): {record!r}.") from error
    try:
        backbone = checkpoint.build(**options)
    except (KeyError, TypeError, ParameterError) as error:
        raise WeightsError(
            f"The record's options {options!r} do not fit backbone {checkpoint.name}: {error}."
        ) from error
    backbone.record = dict(record)
    return backbone.eval()


def _record(
    checkpoint: Checkpoint, weights: str, sha256: str | None, licence: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    return {
        "backbone": checkpoint.name,
        "weights": weights,
        "sha256": sha256,
        "licence": licence,
        "origin": checkpoint.origin if licence else None,
        "options": options,
    }


def _locate_or_bundled(checkpoint: Checkpoint, cache: Path | None) -> Path:
    hub.known_file(checkpoint, hub.cache_folder(cache))  # an altered file is an error, not a reason to use another one
    try:
        return hub.locate(checkpoint, cache)
    except WeightsError as error:
        path = hub.bundled(checkpoint.name)
        if path is None:
            raise
        _log.warning("%s: no published weights available; using the backbone of the released encoder.", checkpoint.name)
        _log.debug("%s", error)
        return path


def _given(checkpoint: Checkpoint, path: Path) -> Path:
    if path.is_dir():
        published = hub.known_file(checkpoint, path)
        if published is not None:
            return published
        if _is_encoder(path):
            return path / TENSORS
        names = ", ".join([*(s.filename for s in checkpoint.sources), TENSORS])
        raise WeightsError(f"The folder {path} holds no weights of {checkpoint.name}; expected one of: {names}.")
    if not path.is_file():
        raise WeightsError(
            f"There are no weights at {path}; give a file, a folder, 'auto' (download) or 'none' (from scratch)."
        )
    return path


def _from_published(checkpoint: Checkpoint, path: Path, options: dict[str, Any]) -> tuple[Backbone, Weights]:
    source = checkpoint.source_of(path)
    if path.name == source.filename:
        hub.verify(path, source)
    content = source.read(path)
    options = {**checkpoint.options, **source.options, **content.options, **options}
    backbone = build(_record(checkpoint, path.name, files.sha256(path), checkpoint.licence, options))
    load_strict(backbone, content.backbone, str(path))
    return backbone, content


def _is_encoder(weights: str | Path) -> bool:
    path = Path(weights)
    return path.name == TENSORS or (path / TENSORS).is_file()


def _from_repository(checkpoint: Checkpoint, model: HubModel) -> Backbone:
    backbone = build(_record(checkpoint, model.weights, model.sha256, model.licence, dict(model.options)))
    if model.backbone is not None:
        load_strict(backbone, model.backbone, model.weights)
    return backbone


def _from_encoder(checkpoint: Checkpoint, path: Path) -> Backbone:
    record_path = path.with_suffix(".json")
    try:
        record = files.read_json(record_path)["backbone"]
        tensors = load_file(path)
    except (StorageError, SafetensorError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} and {record_path} are not a saved encoder ({error}).") from error
    backbone = build(record)
    if record["backbone"] != checkpoint.name:
        raise WeightsError(f"{path} holds backbone {record['backbone']!r}, not {checkpoint.name!r}.")
    state = {k.removeprefix(PREFIX): v for k, v in tensors.items() if k.startswith(PREFIX)}
    load_strict(backbone, state, str(path))
    return backbone
