"""Training of an encoder of label sets: views in bulk, one network, calibrated chances, thresholds for false alarms.

The result is a run directory: ``config.json``, the checkpoint, and ``encoder/``, which holds the encoder with its probe
and can be used wherever an encoder can. The views of each corpus lie in caches that other runs share.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import expit

from ..artifacts import CLEAN, taxonomy
from ..core import files, typed
from ..core.console import counted
from ..core.errors import StorageError
from ..core.lock import locked
from ..core.vectors import unit_rows
from ..data.corpora import Clip, Corpus
from ..data.curation import suspects
from ..data.figures import CachedViews, FigureCache, Recipe, fill
from ..embedding import open_set_encoder
from ..models import backbones
from ..models.figure_encoder import STRIDE, FigureEncoder, FigureSettings
from ..models.objectives.sets import SetObjectiveSettings
from ..probes.outcomes import DrawOutcomes, Outcomes
from ..probes.set_heads import set_probe
from ..probes.sets import SetProbe
from ..scan import alarms
from ..training import checkpoint
from ..training.log import Judged
from ..training.sets import BATCH, SetFitSettings, fit_sets
from . import corpus_sections, sections

BUILTIN = {"builtin": {"kind": "builtin", "seed": 0, "sources": 300, "duration_s": 6.0, "sample_rate": 44100}}
UNHEARD = {"builtin": {**BUILTIN["builtin"], "seed": 9}}  # other sounds than those of training, of the same generators
AUDIBLE = (0.3, 1.0)  # severities of the views that encoders are measured on
MEASURES = "measures"  # folder of the measures of the clips, in that of the caches
FALSE_SEGMENTS = "false_segments.csv"  # beside the probe: of each material at the thresholds that the others give
FALSE_SEGMENTS_HEADER = ["alarms_per_hour", "material", "hours", "false_per_hour"]
RECORDED = ("corpus_fingerprints", "start_fingerprint")  # in the config.json of a run beside its configuration
SEVERAL = (0.0, 0.6, 0.4)  # weights of one, two and three faults in the views of ``compounds``
Sides = dict[str, dict[str, tuple[Corpus, list[Clip]]]]  # side -> name of the corpus -> its clips


@dataclasses.dataclass(frozen=True)
class SetSections:
    """The top level of ``configs/pretrain_sets.yaml`` without ``run``.

    Args:
        corpora: Name -> clean recordings, see :func:`.corpus_sections.make_corpus`; each gives the same number of
            views. None: BUILTIN.
        split: Shares of the sources of each corpus, see :class:`.corpus_sections.SourceSplit`.
        artifacts: A preset or a list; those that one channel shows without a reference are used.
        views: Training views, those of ``compounds`` not counted.
        compounds: Further training views that all hold two or three faults.
        validation_views: Views of the validation side, which choose the best step and calibrate the chances.
        cache: Folder of the rendered views.
        workers: Processes that render; None: as many as there are cores.
        backbone: Arguments of :func:`.backbones.create`, or None.
        start: An encoder of label sets, a name or a folder, whose weights the training starts from; None: random ones.
        recipe: Settings of :class:`.Recipe` but for names and seed.
        encoder: Settings of :class:`.FigureSettings` but for states, window and context.
        objective: Settings of :class:`.SetObjectiveSettings`.
        fitting: Settings of :class:`.SetFitSettings`; its seed is that of the run, if it is not given.
        alarms_per_hour: Numbers of false segments per hour that thresholds are set for; none: no thresholds.
        seed: Of views, weights, batches and dropout.
        plots: Whether TensorBoard shows the training, with plots of each validation; not recorded.
    """

    corpora: Mapping[str, Mapping[str, Any]] | None
    split: Mapping[str, Any]
    artifacts: str | list[str]
    views: int
    compounds: int
    validation_views: int
    cache: str
    workers: int | None
    backbone: Mapping[str, Any] | None
    start: str | None
    recipe: Mapping[str, Any]
    encoder: Mapping[str, Any]
    objective: Mapping[str, Any]
    fitting: Mapping[str, Any]
    alarms_per_hour: list[float]
    seed: int
    plots: bool = False

    @property
    def recordings(self) -> Mapping[str, Mapping[str, Any]]:
        """The sections of the corpora."""
        return BUILTIN if self.corpora is None else self.corpora

    @property
    def fit(self) -> SetFitSettings:
        return typed.settings(SetFitSettings, {"seed": self.seed, **self.fitting}, "fitting")

    @property
    def loss(self) -> SetObjectiveSettings:
        return typed.settings(SetObjectiveSettings, self.objective, "objective")

    @property
    def sizes(self) -> FigureSettings:
        """Sizes of the encoder, for the faults and the window of the recipe."""
        recipe = self.recipe_of(1)
        fixed = {"states": (CLEAN, *recipe.names), "window_s": recipe.window_s, "context_s": recipe.context_s}
        return typed.settings(FigureSettings, self.encoder, "encoder", **fixed)

    def recipe_of(self, seed: int, **changes: Any) -> Recipe:
        """The recipe of views; each seed of one run gives others."""
        names = taxonomy.detectable(self.artifacts)
        return typed.settings(Recipe, {**self.recipe, **changes}, "recipe", names=names, seed=self.seed * 1000 + seed)


def pretrain_sets(config: dict[str, Any], directory: str | Path, draw: DrawOutcomes | None = None) -> float:
    """Renders the views, trains, calibrates and sets thresholds; what is finished of an earlier call is kept.

    Args:
        config: The sections of ``configs/pretrain_sets.yaml``.
        directory: The run.
        draw: Gives names and matplotlib figures of what the heads say of the validation views, for TensorBoard; None:
            no events are written.

    Returns:
        The best loss on the validation side.

    Raises:
        ParameterError: a setting that does not exist or is out of range.
        TrainingError: the directory holds a run of another configuration, or the loss is no longer finite.
        StorageError: another process is working on the run or its caches, or the disk is full.
    """
    settings = check_sets(config)
    with locked(directory, "training an encoder of label sets"):
        return _pretrain(settings, config, Path(directory), draw)


def check_sets(config: Mapping[str, Any]) -> SetSections:
    """Every section, before anything is opened or rendered.

    Raises:
        ParameterError, UnknownNameError: as :func:`pretrain_sets`.
    """
    settings = typed.settings(SetSections, config, "")
    settings.fit, settings.loss, settings.sizes  # noqa: B018 (each is checked when it is made)
    for name, section in settings.recordings.items():
        corpus_sections.check_corpus(section, f"corpora.{name}")
    if settings.backbone is not None:
        sections.check_backbone(settings.backbone)
    return settings


def _pretrain(settings: SetSections, config: dict[str, Any], directory: Path, draw: DrawOutcomes | None) -> float:
    recipe = settings.recipe_of(1)
    sides = make_sides(settings)
    fingerprints = {name: corpus.fingerprint for name, (corpus, _) in sides["train"].items()}
    record = {key: section for key, section in config.items() if key != "plots"} | {"corpus_fingerprints": fingerprints}
    start = None if settings.start is None else open_set_encoder(settings.start)
    encoder = _new_encoder(settings, start)
    if start is not None:
        record["start_fingerprint"] = start.fingerprint()
    checkpoint.check_config(directory, record)
    files.write_json(directory / "config.json", record)
    validation = fill_side(settings, sides["validation"], settings.recipe_of(2), settings.validation_views)
    train = fill_side(settings, sides["train"], recipe, settings.views)
    if settings.compounds:
        several = settings.recipe_of(3, counts=SEVERAL)
        more = fill_side(settings, sides["train"], several, settings.compounds)
        train = CachedViews([*train.caches, *more.caches], STRIDE, [*train.clip_faults, *more.clip_faults])
    with counted("train", settings.fit.epochs * len(train)) as progress:
        shown = None if draw is None else partial(_figures, draw, encoder.settings.states)
        loss = fit_sets(encoder, train, validation, settings.fit, settings.loss, directory, progress, shown)
    folder = directory / "encoder"
    encoder.save(folder)
    probe_encoder(folder, encoder, validation, sides["validation"], settings)
    return loss


def _figures(draw: DrawOutcomes, states: Sequence[str], views: Judged) -> Iterable[tuple[str, Any]]:
    """Figures of a validation; a view is taken for its most probable state."""
    chances = expit(views.logits)
    severities = np.where(views.states, views.severities, np.nan)
    predicted = np.array(states)[chances.argmax(axis=1)]
    return draw(
        Outcomes(
            tuple(states[1:]), chances[:, 1:], views.estimates[:, 1:], views.states, severities,
            np.zeros_like(views.states), predicted, views.h,
        )
    )  # fmt: skip


def _new_encoder(settings: SetSections, start: FigureEncoder | None) -> FigureEncoder:
    """The encoder before training, with the weights of ``start`` or random ones."""
    backbone = None if settings.backbone is None else backbones.create(**settings.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.fit.seed)
        encoder = FigureEncoder(settings.sizes, backbone)
    if start is not None:
        encoder.start_from(start)
    return encoder


def make_sides(settings: SetSections) -> Sides:
    """Side -> name of the corpus -> the corpus and its clips of that side, measured for faults of their own."""
    sides: Sides = {}
    for name, section in settings.recordings.items():
        corpus = corpus_sections.make_corpus(section, f"corpora.{name}")
        clips_of = {clip.id: clip for clip in measured(settings, corpus)}
        for side, clips in corpus_sections.make_splits(corpus, settings.split).items():
            sides.setdefault(side, {})[name] = (corpus, [clips_of[clip.id] for clip in clips])
    return sides


def measured(settings: SetSections, corpus: Corpus) -> list[Clip]:
    """The clips of a corpus with the faults that they hold by measurement among their ``unknown`` ones."""
    return suspects.with_suspects(corpus, Path(settings.cache) / MEASURES)


def fill_side(
    settings: SetSections, corpora: Mapping[str, tuple[Corpus, list[Clip]]], recipe: Recipe, views: int
) -> CachedViews:
    """At least ``views`` views of a side, as many of each corpus, rendered where the caches do not hold them yet."""
    blocks = math.ceil(views / len(corpora) / recipe.rows)
    caches: list[FigureCache] = []
    for name, (corpus, clips) in corpora.items():
        with counted(f"render views of {name}", blocks * recipe.rows) as progress:
            caches.append(
                fill(settings.cache, corpus, clips, recipe, blocks, settings.workers, settings.backbone, progress)
            )
    unknown = [[suspects.NAMES.intersection(clip.unknown) for clip in clips] for _, clips in corpora.values()]
    return CachedViews([first_blocks(cache, blocks) for cache in caches], STRIDE, unknown)


def first_blocks(cache: FigureCache, blocks: int) -> FigureCache:
    """A cache without what other runs have added to it."""
    return dataclasses.replace(cache, rows=cache.rows[cache.crops < blocks])


def encode_views(encoder: FigureEncoder, views: CachedViews) -> tuple[np.ndarray, np.ndarray]:
    """h [N, D] of all views, and which faults they hold, bool [N, K]."""
    with torch.inference_mode():
        vectors = [encoder(views.figures(part)).h.numpy() for part in views.in_order(BATCH)]
    return np.concatenate(vectors), views.column("labels", np.arange(len(views)))


def probe_encoder(
    folder: Path, encoder: FigureEncoder, validation: CachedViews, corpora: Mapping[str, tuple[Corpus, list[Clip]]],
    settings: SetSections,
) -> SetProbe:  # fmt: skip
    """Calibrates the chances, measures thresholds on the clean clips of ``corpora``, and saves the probe."""
    vectors, there = encode_views(encoder.eval(), validation)
    heads = [(head.weight.detach().numpy(), head.bias.detach().numpy()) for head in (encoder.types, encoder.severities)]
    probe = set_probe(
        encoder.settings.states, heads[0], heads[1], vectors, there, validation.unknown, encoder.fingerprint()
    )
    probe.save(folder)
    if not settings.alarms_per_hour:
        return probe
    scans = [
        scan
        for name, (corpus, clips) in corpora.items()
        for scan in alarms.clean_scans(folder, corpus, clips, settings.workers or os.cpu_count() or 1, name)
    ]
    chances = probe.classify_batch(unit_rows(vectors))[0][:, 1:]
    audible = validation.column("severities", np.arange(len(validation))) >= AUDIBLE[0]
    damaged = {name: chances[audible[:, column], column] for column, name in enumerate(probe.classes[1:])}
    clean = alarms.CleanLevels.of(scans, damaged)
    levels = clean.thresholds(settings.alarms_per_hour)
    raised = clean.left_out_rates(settings.alarms_per_hour)
    rows = [[f"{rate:g}", material, f"{hours:.2f}", f"{per_hour:.1f}"] for rate, material, hours, per_hour in raised]
    files.write_csv(folder / FALSE_SEGMENTS, [FALSE_SEGMENTS_HEADER, *rows])
    probe = dataclasses.replace(probe, thresholds=levels)
    probe.save(folder)
    return probe


def is_set_run(directory: str | Path) -> bool:
    """Whether a run directory is one of :func:`pretrain_sets`."""
    path = Path(directory) / "config.json"
    return path.exists() and "validation_views" in files.read_json(path)


def export_sets(directory: str | Path, target: str | Path, clean: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Writes the encoder in half precision into ``target``, with a probe calibrated for it; returns its fingerprint.

    Args:
        directory: The run.
        target: The folder.
        clean: Name -> section of a corpus of clean recordings that the thresholds are set on, beside the validation
            side: users get thresholds from all clean sound there is, after it has served to measure those of the run.

    Raises:
        StorageError: the target is the encoder of the run itself, another process is writing it, or the directory holds
            no finished run.
    """
    directory, target = Path(directory), Path(target)
    if target.resolve() in (directory.resolve(), (directory / "encoder").resolve()):
        raise StorageError(f"{target} holds the trained encoder itself, which is not replaced; give another folder.")
    config = files.read_json(directory / "config.json")
    settings = check_sets({key: value for key, value in config.items() if key not in RECORDED})
    with locked(target, "exporting"):
        open_set_encoder(directory / "encoder").save(target, half=True)
        encoder, sides = open_set_encoder(target), make_sides(settings)
        validation = fill_side(settings, sides["validation"], settings.recipe_of(2), settings.validation_views)
        recordings = dict(sides["validation"])
        for name, section in (clean or {}).items():
            corpus = corpus_sections.make_corpus(section, f"clean.{name}")
            recordings[f"clean.{name}"] = (corpus, measured(settings, corpus))
        return probe_encoder(target, encoder, validation, recordings, settings).fingerprint
