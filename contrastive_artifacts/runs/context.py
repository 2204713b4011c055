"""A run whose encoder hears many seconds: a context module trained over the patches of a trained encoder.

The directory is a run as :mod:`.run` makes them: ``config.json`` and ``encoder/``, which holds the encoder, the context
module and, after probing, the probe. Everything that takes a run or an encoder takes it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.progress import track

from ..core import files
from ..core.errors import CorpusError, StorageError
from ..data.corpora import Clip, Corpus
from ..data.dataset import pool
from ..data.views import ViewSettings, evaluation_views
from ..embedding.context import ContextEmbedder
from ..embedding.opening import encoder_folder, open_encoder
from ..models.context import Context, ContextSettings, PatchEncoder, Stretch, slow_of
from ..models.objectives import ObjectiveSettings
from ..models.slow import SLOW_FIGURES
from ..training.context import FitSettings, Sequences, fit
from . import run


class Heard(NamedTuple):
    """A view as the context module takes it, and what it is."""

    stretch: Stretch
    state: int
    severity: float
    source: str


def pretrain_context(config: dict[str, Any], directory: str | Path) -> float:
    """Trains a context module as ``configs/pretrain_context.yaml`` says and writes the run; returns the held-out loss.

    Training and validation sources are rendered whole in every state, ``draws`` times, by ``workers`` processes (the
    result does not depend on how many); a share of the sources decides when to stop, see :class:`.FitSettings`.

    Raises:
        StorageError: there is no such encoder.
        CorpusError: no clip could be read.
    """
    directory, seed = Path(directory), config["seed"]
    fitting = run.settings(FitSettings, {**config["fitting"], "seed": seed}, "fitting")
    objective = run.settings(ObjectiveSettings, config["objective"], "objective")
    folder = encoder_folder(config["encoder"])
    patches = _patches(folder)
    seconds = float(config["window_s"])
    views = dataclasses.replace(run.view_settings(config, patches.sample_rate, seconds), native=True)
    sizes = {**config["context"], "states": views.states, "inputs": patches.dim, "hop_s": patches.hop_s,
             "max_s": seconds, "slow": len(SLOW_FIGURES)}  # fmt: skip
    settings = run.settings(ContextSettings, sizes, "context")
    section = json.dumps(config["corpus"])
    corpus = _corpus(section)
    splits = run.make_splits(corpus, config["split"])
    clips = [clip for side, own in splits.items() if side != "test" for clip in own]
    work = partial(_hear, folder, section, views, config["draws"], seed)
    data = _gathered(work, corpus, clips, config["workers"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        context = Context(settings)
    loss = fit(context, data, fitting, objective)
    ContextEmbedder(patches, context).save(directory / "encoder")
    files.write_json(directory / "config.json", {**config, "corpus_fingerprint": corpus.fingerprint})
    return loss


def _gathered(work: partial[list[Heard]], corpus: Corpus, clips: Sequence[Clip], workers: int) -> Sequences:
    """What is heard of all clips, in their order."""
    found: dict[str, list[Heard]] = {}
    with closing(pool.results(work, clips, workers)) as results:
        for clip, heard in track(results, f"render and hear {corpus.name}", total=len(clips), transient=True):
            if isinstance(heard, pool.Crashed):
                raise StorageError(f"{clip.id}: {heard.problem}.")
            found[clip.id] = heard
    every = [one for clip in clips for one in found[clip.id]]
    if not every:
        raise CorpusError(f"No clip of {corpus.name} could be read; there is nothing to train on.")
    return Sequences(
        [[one.stretch] for one in every],
        np.array([one.state for one in every], np.int64),
        np.array([one.severity for one in every], np.float32),
        np.array([one.source for one in every]),
    )


def _hear(folder: Path, corpus: str, settings: ViewSettings, draws: int, seed: int, clip: Clip) -> list[Heard]:
    """A clip in every state, ``draws`` times; nothing of a clip that cannot be read."""
    patches, heard = _patches(folder), []
    for view in evaluation_views(_corpus(corpus), [clip], settings, seed, draws):
        assert view.native is not None  # settings.native
        vectors = patches.patches(view.native, view.native_rate).astype(np.float16)
        stretch = Stretch(vectors, slow_of(view.native, view.native_rate))
        heard.append(Heard(stretch, view.state, view.severity, view.clip.source))
    return heard


@lru_cache(maxsize=1)
def _patches(folder: Path) -> PatchEncoder:
    return PatchEncoder(open_encoder(folder, "the training of a context module"))


@lru_cache(maxsize=1)
def _corpus(section: str) -> Corpus:
    return run.make_corpus(json.loads(section))
