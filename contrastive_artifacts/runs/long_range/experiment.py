"""The six tests of long-range context; each returns rows of one table."""

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
from . import jobs as compute
from .collect import Collected, Job, collect
from .material import CLASSES, TURNS_HZ, items, pair_items, turn_items
from .pairs import PAIRS
from .plan import REFERENCE_S, Entry, Plan
from .scoring import Predictions, cross_context, cross_linear, folds, predicted
from .turns import revolution_rate, series_probe

WITHIN = 0.03
Row = dict[str, Any]


def run_all(entries: list[Entry], corpus: Corpus, clips: list[Clip], plan: Plan, cache: str | Path) -> list[Row]:
    """Rows of every test: test, encoder, model, label, context_s, metric, value, low, high."""
    cache = Path(cache)
    about = {"corpus": corpus.fingerprint, "clips": [c.id for c in clips], "seed": plan.seed}
    rows = whole_clips(entries, corpus, clips, plan, cache / "classes", about)
    rows += pairs(entries, corpus, clips, plan, cache / "pairs", about)
    rows += turns(entries, corpus, clips[: plan.turn_sources], plan, cache / "turns", about)
    return rows + random_transformer(plan.seed)


def whole_clips(
    entries: list[Entry], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T1 (score against context), T3 (order), T4 (attention distance) and T6 (ladder) on whole clips of each class."""
    jobs = {"slow": Job(f"slow-{SLOW_VERSION}-{plan.cuts}", partial(compute.slow, plan))}
    for entry in entries:
        jobs[f"{entry.name}-full"] = compute.job(entry.patches(), compute.whole)
        jobs[f"{entry.name}-short"] = compute.job(entry.patches(compute.SHORT_S), compute.short)
        jobs[f"{entry.name}-long"] = compute.job(entry.patches(REFERENCE_S), partial(compute.long, plan))
    about = {**about, "duration_s": plan.duration_s, "severity": plan.severity, "classes": CLASSES,
             "contexts": plan.contexts}  # fmt: skip
    make = partial(items, corpus, clips, plan.duration_s, plan.severity, plan.seed)
    collected = collect(cache, make, len(clips) * len(CLASSES), jobs, about, True, "render and embed classes")
    rows: list[Row] = []
    for entry in entries:
        rows += _classes(entry.name, entry.patches(), collected, plan)
    return rows


def _classes(name: str, encoder: PatchEncoder, collected: Collected, plan: Plan) -> list[Row]:
    labels, sources = collected.column("label"), collected.column("source")
    stretches = compute.stretches(collected, name, plan)
    slow = np.stack([[s.slow for s in row] for row in stretches])  # [M, K, S]
    rows: list[Row] = []
    for context_s in plan.contexts:
        if context_s not in plan.lengths:
            x = np.stack([r[0] for r in collected.rows[f"{name}-short"]]).astype(np.float32)
        else:
            which = plan.lengths.index(context_s)
            x = np.stack([row[which].vectors.astype(np.float32).mean(0) for row in stretches])
        predictions = cross_linear(x, labels, sources, plan.folds)
        rows += _by_class("T1", name, "linear", context_s, predictions)
        if context_s in plan.lengths and not np.isnan(slow[:, which]).any():
            predictions = cross_linear(np.hstack([x, slow[:, which]]), labels, sources, plan.folds)
            rows += _by_class("T1", name, "linear + slow", context_s, predictions)
    native = np.stack([r[0] for r in collected.rows[f"{name}-long"]]).astype(np.float32)
    rows += _by_class("T6", name, "native", REFERENCE_S, cross_linear(native, labels, sources, plan.folds))
    data = Sequences(stretches, _codes(labels, CLASSES), collected.column("severity").astype(np.float32), sources)
    for kind in KINDS:
        answers = {
            (c, order): np.empty(len(labels), object) for c in plan.lengths for order in ("in order", "shuffled")
        }
        distances: list[np.ndarray] = []

        def look(
            context: Context, held_out: Sequences, test: np.ndarray, answers: Any = answers, distances: Any = distances
        ) -> None:
            for (context_s, order), labels_of_rows in answers.items():
                windows = [row[plan.lengths.index(context_s)] for row in held_out.rows]
                labels_of_rows[test] = predicted(context, [_ordered(s, order, plan.seed) for s in windows])
            if context.settings.kind == "attention":
                distances.append(_distances(context, [row[-1] for row in held_out.rows], encoder.hop_s))

        settings = ContextSettings(kind, CLASSES, encoder.dim, encoder.hop_s, slow=len(SLOW_FIGURES))
        cross_context(data, settings, plan.fitting, ObjectiveSettings(memory=512), plan.folds, look)
        for (context_s, order), answer in answers.items():
            test = "T1" if order == "in order" else "T3"
            rows += _by_class(test, name, kind, context_s, Predictions(labels, answer.astype(str), sources))
        if distances:
            rows += _distance_rows(name, "attention", np.mean(distances, axis=0), plan.duration_s)
    return rows


def pairs(
    entries: list[Entry], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T2: pairs with equal local sound, at 1 s and at 10 s; T3 for the same pairs."""
    jobs = {"slow": Job(f"slow-{SLOW_VERSION}", compute.slow_side)}
    jobs |= {f"{entry.name}-pairs": compute.job(entry.patches(), compute.around) for entry in entries}
    make = partial(pair_items, corpus, clips, plan.pair_s, plan.seed)
    total, about = 2 * len(PAIRS) * len(clips), {**about, "pair_s": plan.pair_s, "side": compute.SIDE}
    collected = collect(cache, make, total, jobs, about, False, "render and embed pairs")
    labels, sources = collected.column("label"), collected.column("source")
    states = tuple(name for pair in PAIRS.values() for name in pair.names)
    among = np.zeros((len(labels), len(states)), bool)
    for i, pair in enumerate(PAIRS.values()):
        among[np.isin(labels, pair.names), 2 * i : 2 * i + 2] = True
    rows: list[Row] = []
    for entry in entries:
        full, encoder = collected.rows[f"{entry.name}-pairs"], entry.patches()
        stacked, slow = np.stack(full).astype(np.float32), np.concatenate(collected.rows["slow"]).astype(np.float32)
        wide = stacked.mean(1)
        inputs = {("linear", 1.0): stacked[:, compute.SIDE], ("linear", REFERENCE_S): wide,
                  ("linear + slow", REFERENCE_S): np.hstack([wide, slow])}  # fmt: skip
        for (pair_name, pair), ((model, context_s), x) in itertools.product(PAIRS.items(), inputs.items()):
            in_pair = np.isin(labels, pair.names)
            predictions = cross_linear(x[in_pair], labels[in_pair], sources[in_pair], plan.folds)
            rows.append(
                _row("T2", entry.name, model, pair_name, context_s, "accuracy", predictions.accuracy(pair.names))
            )
        stretches = [[Stretch(*parts)] for parts in zip(full, slow, strict=True)]
        severities = np.full(len(labels), 0.5, np.float32)
        data = Sequences(stretches, _codes(labels, states), severities, sources)
        objective = ObjectiveSettings(ranking=0, severity=0, memory=512)
        for kind in KINDS:
            answers = {order: np.empty(len(labels), object) for order in ("in order", "shuffled")}

            def look(context: Context, held_out: Sequences, test: np.ndarray, answers: Any = answers) -> None:
                for order, labels_of_rows in answers.items():
                    windows = [_ordered(row[0], order, plan.seed) for row in held_out.rows]
                    labels_of_rows[test] = predicted(context, windows, among[test])

            settings = ContextSettings(kind, states, encoder.dim, encoder.hop_s, slow=len(SLOW_FIGURES))
            cross_context(data, settings, plan.fitting, objective, plan.folds, look)
            for order, answer in answers.items():
                test = "T2" if order == "in order" else "T3"
                scored = Predictions(labels, answer.astype(str), sources)
                rows += [
                    _row(test, entry.name, kind, pair_name, REFERENCE_S, "accuracy", scored.accuracy(pair.names))
                    for pair_name, pair in PAIRS.items()
                ]
    return rows


def turns(
    entries: list[Entry], corpus: Corpus, clips: list[Clip], plan: Plan, cache: Path, about: Mapping[str, Any]
) -> list[Row]:
    """T5: the rate of a record, estimated from scores of short windows that are fitted on other sources."""
    encoders = {entry.name: entry.patches(plan.turn_patch_s, plan.turn_hop_s) for entry in entries}
    jobs = {f"{name}-turns": compute.job(encoder, compute.whole) for name, encoder in encoders.items()}
    about = {**about, "turns": len(clips), "duration_s": plan.duration_s, "severity": plan.turn_severity}
    make = partial(turn_items, corpus, clips, plan.duration_s, plan.turn_severity, plan.seed)
    collected = collect(cache, make, len(clips) * len(TURNS_HZ), jobs, about, True, "render and embed records")
    sources, true_rates, speeds = collected.column("source"), collected.column("rate_hz"), collected.column("label")
    rows: list[Row] = []
    for entry in entries:
        encoder, series = encoders[entry.name], collected.rows[f"{entry.name}-turns"]
        window_s, scores = encoder.window / encoder.sample_rate, {"ridge": [np.zeros(0)] * len(series)}
        for train, test in folds(sources, 2):
            clicks = [collected.facts[i]["clicks_s"] for i in train]
            weights, bias = series_probe([series[i] for i in train], clicks, encoder.hop_s, window_s)
            for i in test:
                scores["ridge"][i] = series[i].astype(np.float64) @ weights + bias
        if isinstance(entry.model, Encoder) and "clicks" in entry.model.settings.states:
            scores["own head"] = [_own_score(entry.model, encoder, r) for r in series]
        for model, series_scores in scores.items():
            rates = np.array([revolution_rate(s, encoder.hop_s) for s in series_scores])
            error = np.abs(rates / true_rates - 1)
            for label in (*TURNS_HZ, "all"):
                part = error if label == "all" else error[speeds == label]
                values = {"median error": float(np.median(part)), "within 3 %": float((part <= WITHIN).mean())}
                rows += [
                    _row("T5", entry.name, model, label, plan.duration_s, metric, Interval(v, np.nan, np.nan))
                    for metric, v in values.items()
                ]
    return rows


def random_transformer(seed: int, seconds: float = REFERENCE_S) -> list[Row]:
    """T4 of a small vision transformer with random weights over 10 s, for comparison with trained attention."""
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
    for attention in maps.values():
        tokens = attention[0][:, :, TOKENS:, TOKENS:]
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
    """Attention distances [layers, heads] over whole clips, in seconds."""
    longest = max(len(s.vectors) for s in stretches)
    whole = [s for s in stretches if len(s.vectors) == longest][:32]
    with recorded_attention(context) as maps, torch.no_grad():
        context(*collate(whole))
    seconds = torch.arange(longest) * hop_s
    return np.stack([attention_distance(attention[0], seconds).numpy() for attention in maps.values()])


def _distance_rows(name: str, model: str, distances: np.ndarray, seconds: float) -> list[Row]:
    rows = []
    for layer, of_heads in enumerate(np.sort(distances, axis=1)):  # heads are in no particular order
        for head, value in enumerate(of_heads):
            cell = Interval(float(value), np.nan, np.nan)
            rows.append(_row("T4", name, model, f"layer {layer} head {head}", seconds, "attention distance, s", cell))
    return rows


def _own_score(model: Encoder, encoder: PatchEncoder, rows: np.ndarray) -> np.ndarray:
    """Log-probability of clicks by the type head of the encoder, from the branches that its patches contain."""
    with torch.inference_mode():
        logits = model.types(model.neck(torch.from_numpy(encoder.part(rows, "branches").astype(np.float32))))
    return logits.log_softmax(1)[:, model.settings.states.index("clicks")].numpy().astype(np.float64)


def _by_class(test: str, name: str, model: str, context_s: float, predictions: Predictions) -> list[Row]:
    rows = [_row(test, name, model, label, context_s, "F1", predictions.f1(label)) for label in CLASSES]
    return [*rows, _row(test, name, model, "macro", context_s, "F1", predictions.macro_f1())]


def _row(test: str, encoder: str, model: str, label: str, context_s: float, metric: str, interval: Interval) -> Row:
    value = dict(zip(("value", "low", "high"), map(float, interval), strict=True))
    return {"test": test, "encoder": encoder, "model": model, "label": label, "context_s": context_s,
            "metric": metric, **value}  # fmt: skip
