"""The vectors of an item: patches of the whole and of single windows, and slow figures of its stretches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ...models.context import PatchEncoder, Stretch, slow_of
from .collect import Collected, Job
from .material import Item
from .plan import HOP_S, PATCH_S, REFERENCE_S, Plan

SHORT_S = 0.5
SIDE = 9  # patches before and after the moment of a pair: 9.6 s in all


def job(encoder: PatchEncoder, compute: Callable[[PatchEncoder, np.ndarray, Item], np.ndarray]) -> Job:
    return Job(encoder.fingerprint, partial(compute, encoder))


def whole(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.patches(x, item.rate)


def short(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.at(x, item.rate, np.array([item.at_s - SHORT_S / 2]))


def long(plan: Plan, encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    """The 10 s context as one window."""
    first, _ = plan.spans(item.id, item.at_s)[plan.lengths.index(REFERENCE_S)]
    return encoder.at(x, item.rate, np.array([first * HOP_S]))


def around(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.at(x, item.rate, item.at_s - PATCH_S / 2 + HOP_S * np.arange(-SIDE, SIDE + 1))


def slow(plan: Plan, x: np.ndarray, item: Item) -> np.ndarray:
    """Slow figures ``[K, S]`` of every stretch; those of the same span are computed once."""
    spans = plan.spans(item.id, item.at_s)
    figures = {
        (a, n): slow_of(_seconds(x, item.rate, a * HOP_S, (n - 1) * HOP_S + PATCH_S), item.rate) for a, n in set(spans)
    }
    return np.stack([figures[span] for span in spans])


def slow_side(x: np.ndarray, item: Item) -> np.ndarray:
    """Slow figures ``[1, S]`` of the span of the patches of :func:`around`."""
    reach = SIDE * HOP_S + PATCH_S / 2
    return slow_of(_seconds(x, item.rate, item.at_s - reach, 2 * reach), item.rate)[None]


def _seconds(x: np.ndarray, rate: int, start_s: float, length_s: float) -> np.ndarray:
    return x[max(0, round(start_s * rate)) : round((start_s + length_s) * rate)]


def stretches(collected: Collected, name: str, plan: Plan) -> list[list[Stretch]]:
    """The stretches of :meth:`Plan.spans` for each item."""
    item_stretches = []
    items = zip(collected.facts, collected.rows[f"{name}-full"], collected.rows["slow"], strict=True)
    for fact, patches, slow in items:
        spans = zip(plan.spans(fact["id"], fact["at_s"]), slow, strict=True)
        item_stretches.append([Stretch(patches[a : a + n], figures.astype(np.float32)) for (a, n), figures in spans])
    return item_stretches
