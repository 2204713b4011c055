"""What is computed of every item: patches of the whole and of single windows, and slow figures of its stretches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ...models.context import PatchEncoder, Stretch, slow_of
from .collect import Collected, Job
from .material import Item
from .plan import HOP_S, PATCH_S, REFERENCE_S, Plan

SHORT_S = 0.5
SIDE = 9  # patches on either side of a pair's moment: 9.6 s


def job(encoder: PatchEncoder, cut: Callable[[PatchEncoder, np.ndarray, Item], np.ndarray]) -> Job:
    return Job(encoder.fingerprint, partial(cut, encoder))


def whole(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.patches(x, item.rate)


def short(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.at(x, item.rate, np.array([item.at_s - SHORT_S / 2]))


def long(plan: Plan, encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    """The stretch of the 10 s context as one window."""
    first, _ = plan.spans(item.id, item.at_s)[plan.lengths.index(REFERENCE_S)]
    return encoder.at(x, item.rate, np.array([first * HOP_S]))


def sides(encoder: PatchEncoder, x: np.ndarray, item: Item) -> np.ndarray:
    return encoder.at(x, item.rate, item.at_s - PATCH_S / 2 + HOP_S * np.arange(-SIDE, SIDE + 1))


def slow(plan: Plan, x: np.ndarray, item: Item) -> np.ndarray:
    """Slow figures of every stretch ``[K, S]``; those that are of the same place are computed once."""
    spans = plan.spans(item.id, item.at_s)
    made = {
        (a, n): slow_of(_seconds(x, item.rate, a * HOP_S, (n - 1) * HOP_S + PATCH_S), item.rate) for a, n in set(spans)
    }
    return np.stack([made[span] for span in spans])


def slow_side(x: np.ndarray, item: Item) -> np.ndarray:
    """Slow figures ``[1, S]`` of what the patches of :func:`sides` lie in."""
    reach = SIDE * HOP_S + PATCH_S / 2
    return slow_of(_seconds(x, item.rate, item.at_s - reach, 2 * reach), item.rate)[None]


def _seconds(x: np.ndarray, rate: int, start_s: float, length_s: float) -> np.ndarray:
    return x[max(0, round(start_s * rate)) : round((start_s + length_s) * rate)]


def stretches(found: Collected, name: str, plan: Plan) -> list[list[Stretch]]:
    """Of each item the stretches of :meth:`Plan.spans`."""
    made = []
    for fact, full, slow in zip(found.facts, found.rows[f"{name}-full"], found.rows["slow"], strict=True):
        spans = plan.spans(fact["id"], fact["at_s"])
        made.append([Stretch(full[a : a + n], own.astype(np.float32)) for (a, n), own in zip(spans, slow, strict=True)])
    return made
