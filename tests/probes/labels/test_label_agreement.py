"""Labels that say what the probe says move next to nothing, whichever rows they are of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.probes import LinearProbe, SetProbe
from contrastive_artifacts.probes.labels.correction import corrected, corrected_sets

ROWS, DIM, NAMES = 300, 12, ("clean", "clicks", "hiss", "hum", "wow_flutter")


def rows_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows [N, D] around a few places, three of a source; their sources."""
    rng = generator("agreement", seed)
    x = rng.standard_normal((4, DIM))[rng.integers(0, 4, ROWS)] + 0.8 * rng.standard_normal((ROWS, DIM))
    return unit_rows(x.astype(np.float32)), (np.arange(ROWS) // 3).astype(str)


def one_label(seed: int) -> LinearProbe:
    """Mostly clean, and unsure of much; the temperature is not 1."""
    rng = generator("one label", seed)
    weights = rng.normal(0, 2, (len(NAMES), DIM)).astype(np.float32)
    return LinearProbe(NAMES, weights, np.array([1.5, 0, 0, 0, -1], np.float32), float(rng.uniform(0.5, 2)), 0.1)


def label_sets(seed: int) -> SetProbe:
    rng = generator("label sets", seed)
    weights = rng.normal(0, 2, (len(NAMES), DIM)).astype(np.float32)
    bias = np.array([0.5, -1, -1, -1, -2], np.float32)
    unit = {"clean_weight": float(rng.uniform(0.5, 4)), "of_window": float(rng.uniform(0.1, 0.6))}
    return SetProbe(NAMES, weights, bias, 0 * weights, 0 * bias, "f", **unit)


def chances(probe: LinearProbe | SetProbe, x: np.ndarray) -> np.ndarray:
    if isinstance(probe, LinearProbe):
        return probe.predict_proba(x[None])[0]
    return probe.classify_batch(x[None])[0][0]


BOTH = pytest.mark.parametrize(("probe_of", "correct"), [(one_label, corrected), (label_sets, corrected_sets)])


@BOTH
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), k=st.integers(1, ROWS), first=st.sampled_from(["any", *NAMES]))
def test_k_labels_that_agree_change_at_most_k_rows_and_one_in_a_hundred(probe_of, correct, seed, k, first):
    """Of any rows, or of those of one verdict first, as when a person confirms what a filter shows."""
    probe = probe_of(seed)
    x, sources = rows_of(seed)
    before = probe.predict(x)
    order = generator("order", seed).permutation(ROWS)
    rows = order[np.argsort(before[order] != first, kind="stable")][:k]
    after = correct(probe, x, x[rows], before[rows], sources[rows]).predict(x)
    assert (after != before).sum() <= k + 0.01 * ROWS


@BOTH
def test_all_rows_confirmed_change_none(probe_of, correct):
    probe = probe_of(3)
    x, sources = rows_of(3)
    before = probe.predict(x)
    assert len(np.unique(before)) > 2
    assert np.array_equal(correct(probe, x, x, before, sources).predict(x), before)


@BOTH
def test_one_correction_among_confirmations_is_followed_near_it_only(probe_of, correct):
    probe = probe_of(4)
    x, sources = rows_of(4)
    before = probe.predict(x)
    rows, labels = np.arange(0, ROWS, 6), before.copy()
    labels[rows[0]] = "hum" if before[rows[0]] != "hum" else "hiss"
    fitted = correct(probe, x, x[rows], labels[rows], sources[rows])
    assert (fitted.predict(x) != before).mean() < 0.05
    column = fitted.classes.index(str(labels[0]))
    assert chances(fitted, x[0])[column] > chances(probe, x[0])[column]
