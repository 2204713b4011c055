"""Training of a context module: an encoder whose windows are many seconds long, on top of a trained encoder.

The result is a run directory as :mod:`.run` describes it: ``config.json``, the checkpoint and ``encoder/``, which holds
the encoder, the context module and, after probing, the probe. It can be used wherever a run or an encoder can.
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

from ..core import files, pool, typed
from ..core.console import track
from ..core.errors import CorpusError, StorageError
from ..core.lock import locked
from ..data.corpora import Clip, Corpus
from ..data.views import ViewSettings, evaluation_views
from ..embedding.context import ContextEmbedder
from ..embedding.opening import encoder_folder, open_encoder
from ..models.context import Context, ContextSettings, PatchEncoder, Stretch, slow_of
from ..models.encoder_files import CONTEXT_RECORD
from ..models.objectives import ObjectiveSettings
from ..models.slow import SLOW_FIGURES
from ..training import checkpoint
from ..training.context import FitSettings, Sequences, fit
from . import corpus_sections, sections


class Example(NamedTuple):
    """A view as the input of the context module, with its labels."""

    stretch: Stretch
    state: int
    severity: float
    source: str


def pretrain_context(config: dict[str, Any], directory: str | Path) -> float:
    """Trains a context module, or resumes the training, and writes the run; a finished run is left as it is.

    All training and validation clips are rendered in every state, ``draws`` times, by ``workers`` processes (the result
    does not depend on their number). A share of the sources decides when to stop, see :class:`.FitSettings`. A training
    that was killed renders the same views again and continues after its last checkpoint.

    Args:
        config: The sections of ``configs/pretrain_context.yaml``.
        directory: The run.

    Returns:
        The best loss on the held-out sources.

    Raises:
        ParameterError: a setting that does not exist or is out of range.
        StorageError: there is no such encoder, the checkpoint is damaged, or another process is working on the run.
        CorpusError: no clip could be read.
        TrainingError: the directory holds a run of another configuration or an encoder, which would be replaced, or the
            loss is no longer finite.
    """
    sections.check_context(config)
    with locked(directory, "training a context module"):
        return _pretrain_context(config, directory)


def _pretrain_context(config: dict[str, Any], directory: str | Path) -> float:
    directory, seed = Path(directory), config["seed"]
    fitting = typed.settings(FitSettings, {**config["fitting"], "seed": seed}, "fitting")
    objective = typed.settings(ObjectiveSettings, config["objective"], "objective")
    folder = encoder_folder(config["encoder"])
    patches = _patches(folder)
    seconds = float(config["window_s"])
    views = dataclasses.replace(sections.view_settings(config, patches.sample_rate, seconds), native=True)
    sizes = {**config["context"], "states": views.states, "inputs": patches.dim, "hop_s": patches.hop_s,
             "max_s": seconds, "slow": len(SLOW_FIGURES)}  # fmt: skip
    settings = typed.settings(ContextSettings, sizes, "context")
    section = json.dumps(config["corpus"])
    corpus = _corpus(section)
    record = {**config, "corpus_fingerprint": corpus.fingerprint, "encoder_fingerprint": patches.fingerprint}
    checkpoint.check_config(directory, record)
    state = checkpoint.load(directory)
    if state is not None and (directory / "encoder" / CONTEXT_RECORD).exists():  # written when training has ended
        return float(state.record["best_loss"])
    splits = corpus_sections.make_splits(corpus, config["split"])
    clips = [clip for side, clips_of_side in splits.items() if side != "test" for clip in clips_of_side]
    work = partial(_examples, folder, section, views, config["draws"], seed)
    data = _sequences(work, corpus, clips, config["workers"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        context = Context(settings)
    files.write_json(directory / "config.json", record)
    loss = fit(context, data, fitting, objective, directory)
    ContextEmbedder(patches, context).save(directory / "encoder")
    return loss


def _sequences(work: partial[list[Example]], corpus: Corpus, clips: Sequence[Clip], workers: int) -> Sequences:
    """The examples of all clips, in the order of the clips."""
    by_clip: dict[str, list[Example]] = {}
    with closing(pool.results(work, clips, workers)) as results:
        for clip, result in track(results, f"render and encode {corpus.name}", total=len(clips)):
            if isinstance(result, pool.Crashed):
                raise StorageError(f"{clip.id}: {result.problem}.")
            by_clip[clip.id] = result
    examples = [example for clip in clips for example in by_clip[clip.id]]
    if not examples:
        raise CorpusError(f"No clip of {corpus.name} could be read; there is nothing to train on.")
    return Sequences(
        [[example.stretch] for example in examples],
        np.array([example.state for example in examples], np.int64),
        np.array([example.severity for example in examples], np.float32),
        np.array([example.source for example in examples]),
    )


def _examples(folder: Path, corpus: str, settings: ViewSettings, draws: int, seed: int, clip: Clip) -> list[Example]:
    """A clip in every state, ``draws`` times; nothing for a clip that cannot be read."""
    patches, examples = _patches(folder), []
    for view in evaluation_views(_corpus(corpus), [clip], settings, seed, draws):
        assert view.native_waveform is not None  # settings.native
        vectors = patches.patches(view.native_waveform, view.native_rate).astype(np.float16)
        stretch = Stretch(vectors, slow_of(view.native_waveform, view.native_rate))
        examples.append(Example(stretch, view.state, view.severity, view.clip.source))
    return examples


@lru_cache(maxsize=1)
def _patches(folder: Path) -> PatchEncoder:
    return PatchEncoder(open_encoder(folder, "the training of a context module"))


@lru_cache(maxsize=1)
def _corpus(section: str) -> Corpus:
    return corpus_sections.make_corpus(json.loads(section))
