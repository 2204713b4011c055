"""The six tests of long-range context, each as rows of one table."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core import seeding
from ...data.corpora import Clip, Corpus
from ...models.context import (
    KINDS,
    Context,
    ContextSettings,
    PatchEncoder,
    Stretch,
    attention_distance,
    collate,
    recorded_attention,
)
from ...models.encoder import Encoder
from ...models.objectives import ObjectiveSettings
from ...models.slow import SLOW_FIGURES
from ...models.slow import VERSION as SLOW_VERSION
from ...probes import Interval
from ...training.context import Sequences
from . import cuts
from .collect import Collected, Job, collect
from .material import CLASSES, TURNS_HZ, items, pair_items, turn_items
from .pairs import PAIRS
from .plan import REFERENCE_S, Heard, Plan
from .scoring import Told, cross_context, cross_linear, folds, predicted
from .turns import revolution_rate, series_probe

WITHIN = 0.03
Row = dict[str, Any]


def run_all(heard: list[Heard], corpus: Corpus, clips: list[Clip], plan: Plan, cache: str | Path) -> list[Row]:
    """Rows of every test: test, encoder, model, label, context_s, metric, value, low, high."""
    cache = Path(cache)
    about = {"corpus": corpus.fingerprint, "clips": [c.id for c in clips], "seed": plan.seed}
    rows = whole_clips(heard, corpus, clips, plan, cache / "classes", about)
    rows += pairs(heard, corpus, clips, plan, cache / "pairs", about)
    rows += turns(heard, corpus, clips[: plan.turn_sources], plan, cache / "turns", about)
    return rows + random_transformer(plan.seed)


def whole_clips(
    heard: list[Heard], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T1 (score against context), T3 (order), T4 (attention distance) and T6 (ladder) on whole clips of each class."""
    jobs = {"slow": Job(f"slow-{SLOW_VERSION}-{plan.cuts}", partial(cuts.slow, plan))}
    for one in heard:
        jobs[f"{one.name}-full"] = cuts.job(one.patches(), cuts.whole)
        jobs[f"{one.name}-short"] = cuts.job(one.patches(cuts.SHORT_S), cuts.short)
        jobs[f"{one.name}-long"] = cuts.job(one.patches(REFERENCE_S), partial(cuts.long, plan))
    about = {**about, "duration_s": plan.duration_s, "severity": plan.severity, "classes": CLASSES,
             "contexts": plan.contexts}  # fmt: skip
    make = partial(items, corpus, clips, plan.duration_s, plan.severity, plan.seed)
    found = collect(cache, make, len(clips) * len(CLASSES), jobs, about, True, "render and embed classes")
    rows: list[Row] = []
    for one in heard:
        rows += _classes(one.name, one.patches(), found, plan)
    return rows


def _classes(name: str, encoder: PatchEncoder, found: Collected, plan: Plan) -> list[Row]:
    labels, sources = found.column("label"), found.column("source")
    stretches = cuts.stretches(found, name, plan)
    slow = np.stack([[s.slow for s in row] for row in stretches])  # [M, K, S]
    rows: list[Row] = []
    for context_s in plan.contexts:
        if context_s not in plan.lengths:
            x = np.stack([r[0] for r in found.rows[f"{name}-short"]]).astype(np.float32)
        else:
            which = plan.lengths.index(context_s)
            x = np.stack([row[which].vectors.astype(np.float32).mean(0) for row in stretches])
        told = cross_linear(x, labels, sources, plan.folds)
        rows += _by_class("T1", name, "linear", context_s, told)
        if context_s in plan.lengths and not np.isnan(slow[:, which]).any():
            told = cross_linear(np.hstack([x, slow[:, which]]), labels, sources, plan.folds)
            rows += _by_class("T1", name, "linear + slow", context_s, told)
    native = np.stack([r[0] for r in found.rows[f"{name}-long"]]).astype(np.float32)
    rows += _by_class("T6", name, "native", REFERENCE_S, cross_linear(native, labels, sources, plan.folds))
    data = Sequences(stretches, _codes(labels, CLASSES), found.column("severity").astype(np.float32), sources)
    for kind in KINDS:
        said = {(c, order): np.empty(len(labels), object) for c in plan.lengths for order in ("in order", "shuffled")}
        away: list[np.ndarray] = []

        def look(context: Context, held: Sequences, test: np.ndarray, said: Any = said, away: Any = away) -> None:
            for (context_s, order), told in said.items():
                cut = [row[plan.lengths.index(context_s)] for row in held.rows]
                told[test] = predicted(context, [_ordered(s, order, plan.seed) for s in cut])
            if context.settings.kind == "attention":
                away.append(_distances(context, [row[-1] for row in held.rows], encoder.hop_s))

        settings = ContextSettings(kind, CLASSES, encoder.dim, encoder.hop_s, slow=len(SLOW_FIGURES))
        cross_context(data, settings, plan.fitting, ObjectiveSettings(memory=512), plan.folds, look)
        for (context_s, order), predictions in said.items():
            test = "T1" if order == "in order" else "T3"
            rows += _by_class(test, name, kind, context_s, Told(labels, predictions.astype(str), sources))
        if away:
            rows += _distance_rows(name, "attention", np.mean(away, axis=0), plan.duration_s)
    return rows


def pairs(
    heard: list[Heard], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T2: pairs of one local sound at 1 s and at 10 s; T3 for the same pairs."""
    jobs = {"slow": Job(f"slow-{SLOW_VERSION}", cuts.slow_side)}
    jobs |= {f"{one.name}-pairs": cuts.job(one.patches(), cuts.sides) for one in heard}
    make = partial(pair_items, corpus, clips, plan.pair_s, plan.seed)
    total, about = 2 * len(PAIRS) * len(clips), {**about, "pair_s": plan.pair_s, "side": cuts.SIDE}
    found = collect(cache, make, total, jobs, about, False, "render and embed pairs")
    labels, sources = found.column("label"), found.column("source")
    states = tuple(name for pair in PAIRS.values() for name in pair.names)
    among = np.zeros((len(labels), len(states)), bool)
    for i, pair in enumerate(PAIRS.values()):
        among[np.isin(labels, pair.names), 2 * i : 2 * i + 2] = True
    rows: list[Row] = []
    for one in heard:
        full, encoder = found.rows[f"{one.name}-pairs"], one.patches()
        stacked, slow = np.stack(full).astype(np.float32), np.concatenate(found.rows["slow"]).astype(np.float32)
        wide = stacked.mean(1)
        inputs = {("linear", 1.0): stacked[:, cuts.SIDE], ("linear", REFERENCE_S): wide,
                  ("linear + slow", REFERENCE_S): np.hstack([wide, slow])}  # fmt: skip
        for (what, pair), ((model, context_s), x) in itertools.product(PAIRS.items(), inputs.items()):
            own = np.isin(labels, pair.names)
            told = cross_linear(x[own], labels[own], sources[own], plan.folds)
            rows.append(_row("T2", one.name, model, what, context_s, "accuracy", told.accuracy(pair.names)))
        stretches = [[Stretch(*parts)] for parts in zip(full, slow, strict=True)]
        severities = np.full(len(labels), 0.5, np.float32)
        data = Sequences(stretches, _codes(labels, states), severities, sources)
        objective = ObjectiveSettings(ranking=0, severity=0, memory=512)
        for kind in KINDS:
            said = {order: np.empty(len(labels), object) for order in ("in order", "shuffled")}

            def look(context: Context, held: Sequences, test: np.ndarray, said: Any = said) -> None:
                for order, told in said.items():
                    cut = [_ordered(row[0], order, plan.seed) for row in held.rows]
                    told[test] = predicted(context, cut, among[test])

            settings = ContextSettings(kind, states, encoder.dim, encoder.hop_s, slow=len(SLOW_FIGURES))
            cross_context(data, settings, plan.fitting, objective, plan.folds, look)
            for order, predictions in said.items():
                told, test = Told(labels, predictions.astype(str), sources), "T2" if order == "in order" else "T3"
                rows += [
                    _row(test, one.name, kind, what, REFERENCE_S, "accuracy", told.accuracy(pair.names))
                    for what, pair in PAIRS.items()
                ]
    return rows


def turns(
    heard: list[Heard], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T5: the rate of a record from the series of scores of short windows; fitted on other sources than tested."""
    encoders = {one.name: one.patches(plan.turn_patch_s, plan.turn_hop_s) for one in heard}
    jobs = {f"{name}-turns": cuts.job(encoder, cuts.whole) for name, encoder in encoders.items()}
    about = {**about, "turns": len(clips), "duration_s": plan.duration_s, "severity": plan.turn_severity}
    make = partial(turn_items, corpus, clips, plan.duration_s, plan.turn_severity, plan.seed)
    found = collect(cache, make, len(clips) * len(TURNS_HZ), jobs, about, True, "render and embed records")
    sources, exact, turned = found.column("source"), found.column("rate_hz"), found.column("label")
    rows: list[Row] = []
    for one in heard:
        encoder, series = encoders[one.name], found.rows[f"{one.name}-turns"]
        window_s, scores = encoder.window / encoder.sample_rate, {"ridge": [np.zeros(0)] * len(series)}
        for train, test in folds(sources, 2):
            clicks = [found.facts[i]["clicks_s"] for i in train]
            weights, bias = series_probe([series[i] for i in train], clicks, encoder.hop_s, window_s)
            for i in test:
                scores["ridge"][i] = series[i].astype(np.float64) @ weights + bias
        if isinstance(one.model, Encoder) and "clicks" in one.model.settings.states:
            scores["own head"] = [_own_score(one.model, encoder, r) for r in series]
        for model, own in scores.items():
            rates = np.array([revolution_rate(s, encoder.hop_s) for s in own])
            error = np.abs(rates / exact - 1)
            for label in (*TURNS_HZ, "all"):
                part = error if label == "all" else error[turned == label]
                values = {"median error": float(np.median(part)), "within 3 %": float((part <= WITHIN).mean())}
                rows += [
                    _row("T5", one.name, model, label, plan.duration_s, metric, Interval(v, np.nan, np.nan))
                    for metric, v in values.items()
                ]
    return rows


def random_transformer(seed: int, seconds: float = REFERENCE_S) -> list[Row]:
    """T4 of a small vision transformer with random weights over 10 s: where attention that learned nothing looks."""
    from ...models.backbones.distilled_vit import PATCH, TOKENS, DistilledViT
    from ...models.backbones.vit import recorded_attention as recorded

    stride, frames, bands = 10, round(100 * seconds) - 2, 128
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        grid = (1 + (bands - PATCH) // stride, 1 + (frames - PATCH) // stride)
        network = DistilledViT((grid,), stride, depth=2, dim=48, heads=2, eps=1e-6).eval()
        with recorded(network) as maps:
            network(torch.randn(1, bands, frames))
    when = torch.arange(grid[1]).repeat(grid[0]) * stride * 0.01
    distances = []
    for found in maps.values():
        tokens = found[0][:, :, TOKENS:, TOKENS:]
        distances.append(attention_distance(tokens / tokens.sum(3, keepdim=True), when).numpy())
    return _distance_rows("small DistilledViT, random weights", "random", np.stack(distances), seconds)


def _ordered(stretch: Stretch, order: str, seed: int) -> Stretch:
    if order == "in order":
        return stretch
    count = len(stretch.vectors)
    return stretch._replace(vectors=stretch.vectors[seeding.generator(seed, "shuffle", count).permutation(count)])


def _codes(labels: np.ndarray, states: tuple[str, ...]) -> np.ndarray:
    return np.array([states.index(label) for label in labels], np.int64)


def _distances(context: Context, stretches: list[Stretch], hop_s: float) -> np.ndarray:
    """[layers, heads] of whole clips, in seconds."""
    most = max(len(s.vectors) for s in stretches)
    whole = [s for s in stretches if len(s.vectors) == most][:32]
    with recorded_attention(context) as maps, torch.no_grad():
        context(*collate(whole))
    seconds = torch.arange(most) * hop_s
    return np.stack([attention_distance(found[0], seconds).numpy() for found in maps.values()])


def _distance_rows(name: str, model: str, distances: np.ndarray, seconds: float) -> list[Row]:
    rows = []
    for layer, of_heads in enumerate(np.sort(distances, axis=1)):  # heads have no order of their own
        for head, value in enumerate(of_heads):
            cell = Interval(float(value), np.nan, np.nan)
            rows.append(_row("T4", name, model, f"layer {layer} head {head}", seconds, "attention distance, s", cell))
    return rows


def _own_score(model: Encoder, encoder: PatchEncoder, rows: np.ndarray) -> np.ndarray:
    """What the encoder's own type head says for clicks, from the branches that are part of its patches."""
    with torch.inference_mode():
        logits = model.types(model.neck(torch.from_numpy(encoder.part(rows, "branches").astype(np.float32))))
    return logits.log_softmax(1)[:, model.settings.states.index("clicks")].numpy().astype(np.float64)


def _by_class(test: str, name: str, model: str, context_s: float, told: Told) -> list[Row]:
    rows = [_row(test, name, model, label, context_s, "F1", told.f1(label)) for label in CLASSES]
    return [*rows, _row(test, name, model, "macro", context_s, "F1", told.macro_f1())]


def _row(test: str, encoder: str, model: str, label: str, context_s: float, metric: str, found: Interval) -> Row:
    value = dict(zip(("value", "low", "high"), map(float, found), strict=True))
    return {"test": test, "encoder": encoder, "model": model, "label": label, "context_s": context_s,
            "metric": metric, **value}  # fmt: skip
