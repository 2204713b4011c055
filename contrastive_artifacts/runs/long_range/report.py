"""The results of the six tests in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...artifacts import CLEAN
from ...models.context import KINDS
from .experiment import WITHIN, Row
from .material import CLASSES
from .pairs import PAIRS
from .plan import REFERENCE_S, Plan
from .scoring import shortest_window

TABLES = {"context": ("T1",), "pairs": ("T2",), "shuffled": ("T3",), "attention": ("T4",), "turns": ("T5",),
          "ladder": ("T6",)}  # fmt: skip
LADDER = ("linear", "linear + slow", *KINDS, "native")
CHANCE = 1 / len(CLASSES)
RECOGNISED = 2 * CHANCE  # a class counts as recognised where the lower end of the interval of its F1 is above this
POOR = 0.5  # F1 below which a recognised class counts as poorly recognised


def select(rows: Iterable[Row], **columns: Any) -> list[Row]:
    """The rows whose columns have these values."""
    return [row for row in rows if all(row[name] == value for name, value in columns.items())]


def value(rows: Iterable[Row], **columns: Any) -> float:
    """The value of the first row with these columns; NaN without any."""
    matching = select(rows, **columns)
    return matching[0]["value"] if matching else float("nan")


def encoders(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row["encoder"] for row in rows if row["test"] == "T1"))


def ladder(rows: Sequence[Row], encoder: str, model: str, label: str = "macro") -> float:
    """F1 at 10 s of one model of the ladder."""
    test = "T6" if model == "native" else "T1"
    return value(rows, test=test, encoder=encoder, model=model, label=label, context_s=REFERENCE_S)


def shortest_context(rows: Sequence[Row], encoder: str, model: str, label: str) -> float:
    """The shortest context that reaches 95 % of the 10 s score."""
    points = sorted(
        select(rows, test="T1", encoder=encoder, model=model, label=label), key=lambda row: float(row["context_s"])
    )
    return shortest_window([row["context_s"] for row in points], [row["value"] for row in points])


def not_recognised(rows: Sequence[Row], encoder: str, model: str) -> tuple[list[str], list[str]]:
    """Artifacts that are not recognised at 10 s, and those that are recognised poorly."""
    test = "T6" if model == "native" else "T1"
    missed, poor = [], []
    for row in select(rows, test=test, encoder=encoder, model=model, context_s=REFERENCE_S):
        if row["label"] in ("macro", CLEAN):
            continue
        if not row["low"] > RECOGNISED:
            missed.append(row["label"])
        elif row["value"] < POOR:
            poor.append(row["label"])
    return missed, poor


def summary(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and cells: macro-F1 at 10 s by model, and mean accuracy over the pairs at 1 s and 10 s."""
    columns = ["encoder", *LADDER, *(f"pairs {c}" for c in ("1 s linear", *(f"10 s {m}" for m in LADDER[:-1])))]
    cells = []
    for name in encoders(rows):
        pairs = [_pairs(rows, name, "linear", 1.0), *(_pairs(rows, name, m, REFERENCE_S) for m in LADDER[:-1])]
        cells.append([name, *(f"{v:.3f}" for v in [*(ladder(rows, name, m) for m in LADDER), *pairs])])
    return columns, cells


def report(rows: Sequence[Row], plan: Plan, facts: Mapping[str, Any]) -> str:
    """The whole report as Markdown."""
    names = encoders(rows)
    lines = [
        "# What longer context buys",
        "",
        f"`{facts['command']}` at {facts['commit']}: {facts['clips']} clips of {facts['corpus']}, "
        f"seed {facts['seed']}, {len(CLASSES)} classes over {plan.duration_s:g} s at severities {plan.severity}, "
        f"{plan.folds} folds by source. Scores are out of fold; chance F1 is {CHANCE:.2f}. A class counts as "
        f"recognised where the 95 % interval over sources of its F1 at {REFERENCE_S:g} s lies above {RECOGNISED:.2f}.",
        "",
    ]
    for name in names:
        lines += _in_words(rows, name)
    lines += ["", f"## T6: the ladder, macro-F1 at {REFERENCE_S:g} s", "", *_table(*_ladder_table(rows, names))]
    lines += ["", f"F1 at {REFERENCE_S:g} s by class:", "", *_table(*_class_table(rows, names))]
    lines += ["", "## T1: shortest window (s) with 95 % of the 10 s score", "", *_table(*_window_table(rows, names))]
    lines += ["", "Macro-F1 against context:", "", *_table(*_context_table(rows, names, plan))]
    lines += [
        "",
        "## T2: pairs with equal local sound, accuracy (chance .50)",
        "",
        *_table(*_pair_table(rows, names)),
    ]
    lines += ["", "## T3: patches shuffled in time at test, loss of score", "", *_table(*_shuffle_table(rows, names))]
    lines += ["", "## T4: attention distance in seconds", "", *_table(*_distance_table(rows))]
    lines += ["", "Uniform attention has a mean distance of a third of the length. A transformer with random weights "
              "is no evidence about trained ones; those too large for this machine were not run."]  # fmt: skip
    lines += ["", "## T5: the rate of a record from its frame scores", "", *_table(*_turn_table(rows)), ""]
    return "\n".join(lines)


def _in_words(rows: Sequence[Row], name: str) -> list[str]:
    missed, poor = not_recognised(rows, name, "linear")
    best = max(KINDS[1:], key=lambda kind: ladder(rows, name, kind))
    missed_with_slow, missed_by_best = (not_recognised(rows, name, model)[0] for model in ("linear + slow", best))
    gain = ladder(rows, name, best) - ladder(rows, name, "mean")
    pairs = _pairs(rows, name, best, REFERENCE_S) - _pairs(rows, name, "mean", REFERENCE_S)
    return [
        f"- **{name}**: from patches averaged over 10 s these are not recognised: {_list(missed)}; poorly "
        f"(F1 < {POOR}): {_list(poor)}. Not recognised with slow figures of the 10 s: {_list(missed_with_slow)}; with "
        f"the best context module ({best}, over patches and slow figures): {_list(missed_by_best)}. "
        f"Compared with the module that ignores the order of patches it gains {gain:+.3f} macro-F1 on the classes and "
        f"{pairs:+.3f} accuracy on the pairs."
    ]


def _ladder_table(rows: Sequence[Row], names: list[str]) -> tuple[list[str], list[list[str]]]:
    cells = []
    for name in names:
        scores = []
        for model in LADDER:
            test = "T6" if model == "native" else "T1"
            row = select(rows, test=test, encoder=name, model=model, label="macro", context_s=REFERENCE_S)[0]
            scores.append(f"{row['value']:.3f} ({row['low']:.2f}-{row['high']:.2f})")
        cells.append([name, *scores])
    columns = ["mean of patches, linear", "the same with slow figures", *(f"module: {k}" for k in KINDS)]
    return ["encoder", *columns, "native 10 s window, linear"], cells


def _class_table(rows: Sequence[Row], names: list[str]) -> tuple[list[str], list[list[str]]]:
    return ["encoder", "model", *CLASSES], [
        [name, model, *(f"{ladder(rows, name, model, label):.2f}" for label in CLASSES)]
        for name in names
        for model in LADDER
    ]


def _window_table(rows: Sequence[Row], names: list[str]) -> tuple[list[str], list[list[str]]]:
    return ["encoder", "model", *CLASSES, "macro"], [
        [name, model, *(f"{shortest_context(rows, name, model, label):g}" for label in (*CLASSES, "macro"))]
        for name in names
        for model in LADDER[:-1]
    ]


def _context_table(rows: Sequence[Row], names: list[str], plan: Plan) -> tuple[list[str], list[list[str]]]:
    return ["encoder", "model", *(f"{c:g} s" for c in plan.contexts)], [
        [name, model, *(_f(value(rows, test="T1", encoder=name, model=model, label="macro", context_s=c))
                        for c in plan.contexts)]
        for name in names
        for model in LADDER[:-1]
    ]  # fmt: skip


def _pair_table(rows: Sequence[Row], names: list[str]) -> tuple[list[str], list[list[str]]]:
    columns = ["encoder", "context", *PAIRS, "mean"]
    cells = []
    for name in names:
        for model, context_s in (("linear", 1.0), *((m, REFERENCE_S) for m in LADDER[:-1])):
            shares = [value(rows, test="T2", encoder=name, model=model, label=p, context_s=context_s) for p in PAIRS]
            cells.append([name, f"{context_s:g} s {model}", *map(_f, shares), _f(float(np.mean(shares)))])
    return columns, cells


def _shuffle_table(rows: Sequence[Row], names: list[str]) -> tuple[list[str], list[list[str]]]:
    cells = []
    for name in names:
        for kind in KINDS:
            shuffled = value(rows, test="T3", encoder=name, model=kind, label="macro", context_s=REFERENCE_S)
            losses = [ladder(rows, name, kind) - shuffled]
            for pair in PAIRS:
                before = value(rows, test="T2", encoder=name, model=kind, label=pair, context_s=REFERENCE_S)
                losses.append(before - value(rows, test="T3", encoder=name, model=kind, label=pair))
            cells.append([name, kind, *(f"{v:+.3f}" for v in losses)])
    return ["encoder", "module", "classes, macro-F1", *PAIRS], cells


def _distance_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    t4_rows = select(rows, test="T4")
    cells = []
    for name, model, seconds in dict.fromkeys((row["encoder"], row["model"], row["context_s"]) for row in t4_rows):
        distances = [row["value"] for row in select(t4_rows, encoder=name, model=model)]
        cells.append([f"{name} ({model})", f"{seconds:g}", *(f"{f(distances):.1f}" for f in (min, np.median, max))])
    return ["network", "input s", "nearest head", "median", "farthest head"], cells


def _turn_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    t5_rows = select(rows, test="T5")
    labels = list(dict.fromkeys(row["label"] for row in t5_rows))
    cells = []
    for name, model in dict.fromkeys((row["encoder"], row["model"]) for row in t5_rows):
        errors = [value(t5_rows, encoder=name, model=model, label=n, metric="median error") for n in labels]
        share = value(t5_rows, encoder=name, model=model, label="all", metric="within 3 %")
        cells.append([name, model, *(f"{100 * error:.2f} %" for error in errors), f"{share:.2f}"])
    return ["encoder", "score", *(f"median error, {n}" for n in labels), f"share within {WITHIN:.0%}"], cells


def _pairs(rows: Sequence[Row], encoder: str, model: str, context_s: float) -> float:
    matching = select(rows, test="T2", encoder=encoder, model=model, context_s=context_s)
    return float(np.mean([row["value"] for row in matching])) if matching else float("nan")


def _table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *cells]]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _f(number: float) -> str:
    return "-" if np.isnan(number) else f"{number:.2f}"
