"""The six tests of long-range context, each as rows of one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import backbones, seeding
from ..context import (
    KINDS,
    Context,
    ContextSettings,
    FitSettings,
    PatchEncoder,
    PatchSettings,
    Sequences,
    attention_distance,
    recorded_attention,
)
from ..context.fitting import padded
from ..corpora import Clip, Corpus
from ..encoder import Encoder
from ..objectives import ObjectiveSettings
from ..probes import Interval
from .collect import Collected, collect
from .material import CLASSES, TURNS_HZ, Item, around, items, pair_items, place, turn_items
from .pairs import PAIRS
from .scoring import Told, cross_context, cross_linear, folds, predicted
from .turns import revolution_rate, series_probe

REFERENCE_S = 10.0
SHORT_S = 0.5
SIDE = 9  # patches on either side of a pair's moment: 9.6 s
WITHIN = 0.03
Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How large.

    Args:
        contexts: Lengths in seconds, 10 among them; those below a patch are told by a probe of their own.
        folds: Over sources.
        duration_s, pair_s: Length of the clips of T1 and T2.
        severity: Range of T1.
        turn_sources: Sources that are played as records in T5.
        turn_patch_s, turn_hop_s: Of the sliding windows of T5 (a patch no shorter than the backbone needs).
        seed: Of everything.
        fitting: Of the context modules.
    """

    contexts: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    folds: int = 3
    duration_s: float = 30.0
    pair_s: float = 14.0
    severity: tuple[float, float] = (0.5, 1.0)
    turn_sources: int = 6
    turn_patch_s: float = 0.3
    turn_hop_s: float = 0.1
    turn_severity: float = 0.5
    seed: int = 0
    fitting: FitSettings = field(default_factory=FitSettings)


@dataclass(frozen=True, eq=False)
class Heard:
    """An encoder, or a bare backbone, under test."""

    name: str
    model: Encoder | backbones.Backbone

    def patches(self, patch_s: float = 0.96, hop_s: float = 0.48) -> PatchEncoder:
        return PatchEncoder(self.model, PatchSettings(patch_s, hop_s))


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
    jobs: dict[str, Any] = {}
    for one in heard:
        full = one.patches()
        jobs[f"{one.name}-full"] = (full, lambda encoder, x, item: encoder.patches(x))
        jobs[f"{one.name}-short"] = (one.patches(SHORT_S), _short)
        jobs[f"{one.name}-long"] = (one.patches(REFERENCE_S), partial(_long, full=full, seed=plan.seed))
    about = {**about, "duration_s": plan.duration_s, "severity": plan.severity, "classes": CLASSES}
    make = partial(items, corpus, clips, plan.duration_s, plan.severity, plan.seed)
    found = collect(cache, make, len(clips) * len(CLASSES), jobs, about, True, "render and embed classes")
    rows: list[Row] = []
    for one in heard:
        rows += _classes(one.name, one.patches(), found, plan)
    return rows


def _classes(name: str, encoder: PatchEncoder, found: Collected, plan: Plan) -> list[Row]:
    full, labels, sources = found.rows[f"{name}-full"], found.column("label"), found.column("source")
    places = {c: _places(found, full, encoder, c, plan.seed) for c in plan.contexts}
    rows: list[Row] = []
    for context_s in plan.contexts:
        if context_s < encoder.settings.patch_s:
            x = np.stack([r[0] for r in found.rows[f"{name}-short"]]).astype(np.float32)
        else:
            x = _means(full, places[context_s])
        told = cross_linear(x, labels, sources, plan.folds)
        rows += _by_class("T1", name, "linear", context_s, told)
    native = np.stack([r[0] for r in found.rows[f"{name}-long"]]).astype(np.float32)
    rows += _by_class("T6", name, "native", REFERENCE_S, cross_linear(native, labels, sources, plan.folds))
    data = Sequences(full, _codes(labels, CLASSES), found.column("severity").astype(np.float32), sources)
    contexts = [c for c in plan.contexts if c >= encoder.settings.patch_s]
    for kind in KINDS:
        said = {(c, order): np.empty(len(labels), object) for c in contexts for order in ("in order", "shuffled")}
        away: list[np.ndarray] = []

        def look(context: Context, held: Sequences, test: np.ndarray, said: Any = said, away: Any = away) -> None:
            for (context_s, order), told in said.items():
                cut = [full[i][a : a + n] for i, (a, n) in zip(test, (places[context_s][i] for i in test), strict=True)]
                told[test] = predicted(context, [_ordered(r, order, plan.seed) for r in cut])
            if context.settings.kind == "attention":
                away.append(_distances(context, [full[i] for i in test], encoder.hop_s))

        settings = ContextSettings(kind, CLASSES, encoder.dim, encoder.hop_s)
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
    jobs = {f"{one.name}-pairs": (one.patches(), _sides) for one in heard}
    make = partial(pair_items, corpus, clips, plan.pair_s, plan.seed)
    total, about = 2 * len(PAIRS) * len(clips), {**about, "pair_s": plan.pair_s, "side": SIDE}
    found = collect(cache, make, total, jobs, about, False, "render and embed pairs")
    labels, sources = found.column("label"), found.column("source")
    states = tuple(name for pair in PAIRS.values() for name in pair.names)
    among = np.zeros((len(labels), len(states)), bool)
    for i, pair in enumerate(PAIRS.values()):
        among[np.isin(labels, pair.names), 2 * i : 2 * i + 2] = True
    rows: list[Row] = []
    for one in heard:
        full, encoder = found.rows[f"{one.name}-pairs"], one.patches()
        stacked = np.stack(full).astype(np.float32)
        for what, pair in PAIRS.items():
            own = np.isin(labels, pair.names)
            for context_s, x in ((1.0, stacked[own, SIDE]), (REFERENCE_S, stacked[own].mean(1))):
                told = cross_linear(x, labels[own], sources[own], plan.folds)
                rows.append(_row("T2", one.name, "linear", what, context_s, "accuracy", told.accuracy(pair.names)))
        data = Sequences(full, _codes(labels, states), np.full(len(labels), 0.5, np.float32), sources)
        objective = ObjectiveSettings(ranking=0, severity=0, memory=512)
        fitting = FitSettings(**{**asdict(plan.fitting), "least_s": 9.0, "most_s": 60.0})
        for kind in KINDS:
            said = {order: np.empty(len(labels), object) for order in ("in order", "shuffled")}

            def look(context: Context, held: Sequences, test: np.ndarray, said: Any = said) -> None:
                for order, told in said.items():
                    told[test] = predicted(context, [_ordered(r, order, plan.seed) for r in held.rows], among[test])

            settings = ContextSettings(kind, states, encoder.dim, encoder.hop_s)
            cross_context(data, settings, fitting, objective, plan.folds, look)
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
    jobs = {f"{name}-turns": (encoder, lambda e, x, item: e.patches(x)) for name, encoder in encoders.items()}
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
    from ..backbones.distilled_vit import PATCH, TOKENS, DistilledViT
    from ..backbones.vit import recorded_attention as recorded

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


def _short(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    window = round(SHORT_S * encoder.sample_rate)
    return encoder.vectors(around(x, encoder.sample_rate, item.at_s, window, window, 0))


def _long(encoder: PatchEncoder, x: np.ndarray, item: Item, full: PatchEncoder, seed: int) -> np.ndarray:
    """The stretch of the 10 s context as one window."""
    patches = 1 + (len(x) - full.window) // full.hop
    share = seeding.generator(seed, "place", item.id).random()
    first, _ = place(item.at_s, REFERENCE_S, patches, full.window / full.sample_rate, full.hop_s, share)
    return encoder.vectors(x[None, first * full.hop : first * full.hop + encoder.window])


def _sides(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.vectors(around(x, encoder.sample_rate, item.at_s, encoder.window, encoder.hop, SIDE))


def _places(
    found: Collected, full: tuple[np.ndarray, ...], encoder: PatchEncoder, context_s: float, seed: int
) -> list[tuple[int, int]]:
    window_s = encoder.settings.patch_s
    return [
        place(f["at_s"], context_s, len(r), window_s, encoder.hop_s, seeding.generator(seed, "place", f["id"]).random())
        for f, r in zip(found.facts, full, strict=True)
    ]


def _means(full: tuple[np.ndarray, ...], places: list[tuple[int, int]]) -> np.ndarray:
    return np.stack([r[a : a + n].astype(np.float32).mean(0) for r, (a, n) in zip(full, places, strict=True)])


def _ordered(rows: np.ndarray, order: str, seed: int) -> np.ndarray:
    return rows if order == "in order" else rows[seeding.generator(seed, "shuffle", len(rows)).permutation(len(rows))]


def _codes(labels: np.ndarray, states: tuple[str, ...]) -> np.ndarray:
    return np.array([states.index(label) for label in labels], np.int64)


def _distances(context: Context, rows: list[np.ndarray], hop_s: float) -> np.ndarray:
    """[layers, heads] of whole clips, in seconds."""
    whole = [r for r in rows if len(r) == max(map(len, rows))][:32]
    with recorded_attention(context) as maps, torch.no_grad():
        context(*padded(whole))
    seconds = torch.arange(len(whole[0])) * hop_s
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
