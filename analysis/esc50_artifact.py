"""Trains heads on frozen features of a backbone: what each step of ESC50-artifact gains.

    python analysis/esc50_artifact.py corpus.path=ESC-50/ backbone.weights=yamnet/
    python analysis/esc50_artifact.py backbone=mn04 csv=results/esc50_artifact_mn04.csv

Clean or damaged, then seven classes by cross-entropy, then with L1, L2, dropout and early stopping, on chunks of other
lengths, and with the contrastive terms. Seed s tests on fold s + 1; strengths are chosen on the validation fold alone.
Writes a row for each training, and one for each step over all seeds, with 95 % intervals over sources of the figure
and of its gain over an earlier step. Features are computed once and kept.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Features that are complete are kept; run the same command again.")

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from contrastive_artifacts.cli.configs import compose
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.embedding.table import read_table, table_vectors, write_table
from contrastive_artifacts.models.backbones import Backbone
from contrastive_artifacts.models.baselines import FrozenBackbone
from contrastive_artifacts.models.fingerprint import fingerprint_of
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.probes import Interval, bootstrap, bootstrap_gain, knn_predict, macro_f1, task_labels
from contrastive_artifacts.probes.evaluate import balanced_rows
from contrastive_artifacts.probes.metrics import classes_of, encode
from contrastive_artifacts.runs import corpus_sections, sections
from contrastive_artifacts.runs.measure import embed_views
from contrastive_artifacts.training import OptimSettings
from contrastive_artifacts.training.frozen_head import FeatureRows, FrozenHead, HeadSettings, fit_head

CONFIGS = Path(__file__).parent.parent / "configs"
SEED = 1000  # of the views
BINARY, TYPES, TOGETHER, CONTRASTIVE = "clean or damaged", "seven classes", "all of these", "contrastive"
RESULTS = ("test", "low", "high", "against", "gain", "gain low", "gain high")
COLUMNS = ("step", "setting", "seed", "steps", "validation", "kNN5", *RESULTS)


@dataclass(frozen=True)
class HeadSection:
    hidden: int
    steps: int
    sources: int
    lr: float
    validate_every: int


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    backbone: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    seeds: list[int]
    duration_s: float
    draws: int
    chunks_s: list[float]
    l1: list[float]
    l2: list[float]
    dropout: list[float]
    patience: int
    head: Mapping[str, Any]
    bootstrap: int
    out: str
    csv: str


@dataclass(frozen=True)
class Variant:
    """A training: the step that it is of, the step that this one is compared with, and what differs from plain."""

    step: str
    against: str = TYPES
    setting: str = ""
    task: str = "type"
    objective: str = "cross_entropy"  # a name of configs/objective
    chunk_s: float | None = None  # None: the whole view
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    patience: int = 0


@dataclass(frozen=True, eq=False)
class Views:
    """Frames float32 ``[N, F, D]`` of N views of a frozen backbone, and their labels ``[N]``."""

    frames: np.ndarray
    artifact: np.ndarray
    severity: np.ndarray
    source: np.ndarray
    clip: np.ndarray

    def take(self, rows: np.ndarray) -> Views:
        return Views(*(getattr(self, field.name)[rows] for field in dataclasses.fields(self)))


@dataclass(frozen=True, eq=False)
class Outcome:
    """A training: step of its weights, macro-F1 of views and of kNN5 on h, and what it says of the test views [M]."""

    variant: Variant
    step: int
    validation: float
    nearest: float
    truth: np.ndarray
    predicted: np.ndarray
    sources: np.ndarray

    def row(self, seed: int) -> dict[str, Any]:
        figures = {"validation": self.validation, "kNN5": self.nearest, "test": macro_f1(self.truth, self.predicted)}
        keys = {"step": self.variant.step, "setting": self.variant.setting, "seed": seed, "steps": self.step}
        return keys | rounded(figures)


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    head = typed.settings(HeadSection, settings.head, "head")
    files.check_file("csv", settings.csv)
    backbone, corpus = sections.make_backbone(settings.backbone), corpus_sections.make_corpus(settings.corpus)
    views = embedded(backbone, corpus, config, settings)
    rows: list[dict[str, Any]] = []
    by_seed = []
    for seed in track(settings.seeds, "heads on frozen features"):
        fold = {"by": "fold", "test": seed + 1, "validation": (seed + 1) % 4 + 1}
        clips = {side: [clip.id for clip in part] for side, part in corpus_sections.make_splits(corpus, fold).items()}
        sides = {side: views.take(np.isin(views.clip, ids)) for side, ids in clips.items()}
        outcomes = climb(Trials(settings, head, backbone, sides, seed))
        rows += [outcome.row(seed) for step in outcomes for outcome in step]
        by_seed.append([chosen(step) for step in outcomes])
    rows += over_seeds(by_seed, settings.bootstrap)
    files.write_csv(settings.csv, [COLUMNS, *([row.get(name, "") for name in COLUMNS] for row in rows)])
    shown = ("step", "setting", *RESULTS)
    table("over all seeds", shown, [[row.get(name, "") for name in shown] for row in rows if row["seed"] == "all"])
    console.print(f"rows  {settings.csv}")


def embedded(backbone: Backbone, corpus: Corpus, config: dict[str, Any], settings: Settings) -> Views:
    """Frames of all clips in all states, from the file of an earlier call if it is of the same views and weights."""
    record = {key: config[key] for key in ("artifacts", "duration_s", "draws")}
    name = fingerprint_of([corpus.fingerprint, record], backbone)
    path = Path(settings.out) / f"frames-{name}.parquet"
    if not path.exists():
        view = sections.view_settings(config, backbone.sample_rate, settings.duration_s)
        sides = {"all": (corpus, list(corpus.clips))}
        write_table(path, embed_views(Frames(backbone), sides, view, SEED, settings.draws)["h"])
    rows = read_table(path)
    frames = table_vectors(rows).reshape(len(rows), -1, backbone.dim)
    names = ("artifact", "severity", "source", "clip")
    return Views(frames, *(np.array(rows.column(name).to_pylist()) for name in names))


class Frames(FrozenBackbone):
    """All frames of a frozen backbone, one after the other."""

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """``{"h": float32 [N, F * D]}`` of waveforms [T] of one length, at the backbone's sample rate."""
        with torch.inference_mode():
            return {"h": self.backbone(torch.from_numpy(np.stack(waveforms))).frames.flatten(1).numpy()}


def climb(trials: Trials) -> list[list[Outcome]]:
    """The outcomes of each step, one or more settings of each; later steps use what the validation fold chose."""
    settings = trials.settings
    plain = [Variant(BINARY, against="", task="binary"), Variant(TYPES, against="")]
    varied = [
        [Variant("L1", setting=f"{value:g}", l1=value) for value in settings.l1],
        [Variant("L2", setting=f"{value:g}", l2=value) for value in settings.l2],
        [Variant("dropout", setting=f"{value:g}", dropout=value) for value in settings.dropout],
        [Variant("early stopping", setting=f"{settings.patience}", patience=settings.patience)],
    ]
    steps = [trials.of([variant]) for variant in plain] + [trials.of(variants) for variants in varied]
    best = [chosen(step).variant for step in steps[2:]]
    together = Variant(TOGETHER, l1=best[0].l1, l2=best[1].l2, dropout=best[2].dropout, patience=settings.patience)
    steps.append(trials.of([together]))
    steps += [trials.of([Variant(f"chunks of {length:g} s", chunk_s=length)]) for length in settings.chunks_s]
    contrastive = Variant(CONTRASTIVE, objective="contrastive")
    regularised = replace(together, step=f"{CONTRASTIVE}, {TOGETHER}", against=TOGETHER, objective="contrastive")
    return [*steps, trials.of([contrastive]), trials.of([regularised])]


def chosen(outcomes: Sequence[Outcome]) -> Outcome:
    """The best one on the validation fold."""
    return max(outcomes, key=lambda outcome: outcome.validation)


@dataclass(frozen=True, eq=False)
class Trials:
    """Trainings with one seed on one division of the views."""

    settings: Settings
    head: HeadSection
    backbone: Backbone
    sides: Mapping[str, Views]  # train, validation, test
    seed: int

    def of(self, variants: Sequence[Variant]) -> list[Outcome]:
        return [self._outcome(variant) for variant in variants]

    def _outcome(self, variant: Variant) -> Outcome:
        labels = {side: task_labels(views.artifact, variant.task) for side, views in self.sides.items()}
        classes = classes_of(labels["train"])
        frames = self._frames(variant.chunk_s)
        rows = {side: chunked(views, labels[side], classes, frames) for side, views in self.sides.items()}
        recipe = compose(CONFIGS / "objective", variant.objective).settings
        objective = ObjectiveSettings(**{name: setting.value for name, setting in recipe.items()})
        section = self.head
        network, step = fit_head(
            balanced(rows["train"]), rows["validation"], len(classes), objective,
            OptimSettings(lr_heads=section.lr, weight_decay=variant.l2, l1=variant.l1),
            HeadSettings(section.hidden, variant.dropout, section.steps, section.sources, section.validate_every,
                         variant.patience, self.seed),
        )  # fmt: skip
        votes = {side: self._votes(network, rows[side], len(self.sides[side].clip)) for side in ("validation", "test")}
        names = {side: np.array(classes)[vote.argmax(1)] for side, vote in votes.items()}
        with torch.inference_mode():
            h = {side: network(torch.from_numpy(rows[side].x)).h.numpy() for side in ("train", "test")}
        train, test = rows["train"], rows["test"]
        near = knn_predict(h["train"], train.states, train.sources, h["test"], test.sources, 5)
        return Outcome(
            variant, step, macro_f1(labels["validation"], names["validation"]),
            float(macro_f1(test.states.astype(str), near)), labels["test"], names["test"], self.sides["test"].source,
        )  # fmt: skip

    def _frames(self, chunk_s: float | None) -> int:
        """Frames of a chunk: those that lie in ``chunk_s`` seconds, or all of a view."""
        every = self.sides["train"].frames.shape[1]
        if chunk_s is None:
            return every
        hops = (chunk_s - self.backbone.window_s) / self.backbone.hop_s
        return min(every, 1 + max(0, int(hops + 1e-6)))

    @staticmethod
    def _votes(network: FrozenHead, rows: FeatureRows, views: int) -> np.ndarray:
        """Mean log probability [views, K] of the chunks of each view."""
        with torch.inference_mode():
            chances = network(torch.from_numpy(rows.x)).logits.log_softmax(dim=1)
        return chances.unflatten(0, (views, -1)).mean(dim=1).numpy()


def chunked(views: Views, labels: np.ndarray, classes: Sequence[str], frames: int) -> FeatureRows:
    """Mean and maximum over the frames of each chunk of ``frames``; the chunks of a view follow each other."""
    several = views.frames.shape[1] // frames
    chunks = views.frames[:, : several * frames].reshape(len(labels) * several, frames, -1)
    x = np.concatenate([chunks.mean(axis=1), chunks.max(axis=1)], axis=1)
    columns = (encode(labels, classes), views.severity.astype(np.float32), views.source)
    return FeatureRows(x, *(np.repeat(column, several) for column in columns))


def balanced(rows: FeatureRows) -> FeatureRows:
    """As :func:`balanced_rows` has them: in the binary task, rows of clean are repeated."""
    index = balanced_rows(rows.states)
    return FeatureRows(rows.x[index], rows.states[index], rows.severities[index], rows.sources[index])


def over_seeds(by_seed: Sequence[Sequence[Outcome]], resamples: int) -> list[dict[str, Any]]:
    """A row for each step: macro-F1 of the views of all test folds together, and its gain, with intervals."""
    rows, predictions = [], {}
    for outcomes in zip(*by_seed, strict=True):
        variant = outcomes[0].variant
        truth, predicted, sources = (
            np.concatenate([getattr(o, name) for o in outcomes]) for name in ("truth", "predicted", "sources")
        )
        predictions[variant.step] = predicted
        setting = " / ".join(dict.fromkeys(o.variant.setting for o in outcomes))
        row = {"step": variant.step, "setting": setting, "seed": "all"}
        row |= ends("test", bootstrap(macro_f1, truth, predicted, sources, resamples))
        if variant.against:
            before = predictions[variant.against]
            gain = bootstrap_gain(macro_f1, truth, before, predicted, sources, resamples)
            row |= {"against": variant.against} | ends("gain", gain, "gain ")
        rows.append(row)
    return rows


def ends(name: str, interval: Interval, prefix: str = "") -> dict[str, str]:
    return rounded({name: interval.value, f"{prefix}low": interval.low, f"{prefix}high": interval.high})


def rounded(figures: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{value:.3f}" for name, value in figures.items()}
