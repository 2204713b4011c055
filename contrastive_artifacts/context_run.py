"""A run whose encoder hears many seconds: a context module trained over the patches of a trained encoder.

The directory is a run as :mod:`.run` makes them: ``config.json`` and ``encoder/``, which holds the encoder, the context
module and, after probing, the probe. Everything that takes a run or an encoder takes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track

from . import artifacts, files, run
from .context import Context, ContextSettings, PatchEncoder, Stretch, slow_of
from .context_embedding import ContextEmbedder
from .context_fitting import FitSettings, Sequences, fit
from .corpora import Clip, Corpus
from .encoder import Encoder
from .errors import CorpusError
from .inference import encoder_folder
from .objectives import ObjectiveSettings
from .slow import SLOW_FIGURES
from .views import View, ViewSettings, evaluation_views


def pretrain_context(config: dict[str, Any], directory: str | Path) -> float:
    """Trains a context module as ``configs/pretrain_context.yaml`` says and writes the run; returns the held-out loss.

    Training and validation sources are rendered whole in every state, ``draws`` times; a share of the sources decides
    when to stop, as :class:`.FitSettings` says.

    Raises:
        StorageError: there is no such encoder.
        CorpusError: no clip could be read.
    """
    directory, seed = Path(directory), config["seed"]
    fitting = run.settings(FitSettings, {**config["fitting"], "seed": seed}, "fitting")
    objective = run.settings(ObjectiveSettings, config["objective"], "objective")
    patches = PatchEncoder(Encoder.load(encoder_folder(config["encoder"])))
    states, seconds = artifacts.states(config["artifacts"]["states"]), float(config["window_s"])
    sizes = {**config["context"], "states": states, "inputs": patches.dim, "hop_s": patches.hop_s, "max_s": seconds,
             "slow": len(SLOW_FIGURES)}  # fmt: skip
    made = run.settings(ContextSettings, sizes, "context")
    corpus = run.make_corpus(config["corpus"])
    splits = run.make_splits(corpus, config["split"])
    clips = [clip for side, own in splits.items() if side != "test" for clip in own]
    views = dataclasses.replace(run.view_settings(config, patches.sample_rate, seconds), native=True)
    data = heard(patches, corpus, clips, views, config["draws"], seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        context = Context(made)
    loss = fit(context, data, fitting, objective)
    ContextEmbedder(patches, context).save(directory / "encoder")
    files.write_json(directory / "config.json", {**config, "corpus_fingerprint": corpus.fingerprint})
    return loss


def heard(
    patches: PatchEncoder, corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, draws: int, seed: int
) -> Sequences:
    """Every clip in every state, ``draws`` times, as the context module takes it."""
    rows: list[list[Stretch]] = []
    views: list[View] = []
    made: Iterator[View] = evaluation_views(corpus, clips, settings, seed, draws)
    total = len(clips) * draws * len(settings.states)
    for view in track(made, f"render and hear {corpus.name}", total=total, transient=True):
        assert view.native is not None  # settings.native
        vectors = patches.patches(view.native, view.native_rate).astype(np.float16)
        rows.append([Stretch(vectors, slow_of(view.native, view.native_rate))])
        views.append(view._replace(waveform=np.zeros(0, np.float32), native=None))  # facts alone are kept
    if not rows:
        raise CorpusError(f"No clip of {corpus.name} could be read; there is nothing to train on.")
    return Sequences(
        rows,
        np.array([view.state for view in views], np.int64),
        np.array([view.severity for view in views], np.float32),
        np.array([view.clip.source for view in views]),
    )
