"""A probe of label sets that labels correct: agreement changes next to nothing, corrections help on other sources."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.probes import SetProbe
from contrastive_artifacts.probes.label_sets import labels_of, membership
from contrastive_artifacts.probes.labels.correction import corrected_sets

NAMES = ("hiss", "hum", "clicks", "echo", "codec", "wow", "skip", "reverb")
DIM = 48


def space(rows: int, seed: int, shift: float = 0.0, squeal: bool = False):
    """Unit rows x [N, D] of three windows a source, each fault in one of eight; their labels; their sources."""
    rng, fixed = generator("sets", seed), generator("set directions")
    directions, offset = fixed.standard_normal((len(NAMES) + 1, DIM)), fixed.standard_normal(DIM)
    there = rng.random((rows, len(NAMES) + 1)) < 0.12
    there[:, -1] &= squeal
    source = np.arange(rows) // 3
    content = rng.standard_normal((rows // 3 + 1, DIM))[source] * 0.7
    x = 0.8 * there @ directions + content + 0.7 * rng.standard_normal((rows, DIM)) + shift * offset
    labels = np.array(labels_of((*NAMES, "squeal"), there))
    return unit_rows(x), labels, np.char.add(f"{seed}-", source.astype(str))


@pytest.fixture(scope="module")
def old() -> SetProbe:
    """Logistic regression of every fault; a clean window in ten is above the threshold of single windows."""
    x, labels, _ = space(3000, 1)
    classes = ("clean", *NAMES)
    fits = [LogisticRegression(C=100).fit(x, there) for there in membership(labels.tolist(), classes).T]
    weights = np.concatenate([fit.coef_ for fit in fits]).astype(np.float32)
    bias = np.concatenate([fit.intercept_ for fit in fits]).astype(np.float32)
    probe = SetProbe(classes, weights, bias, 0 * weights, 0 * bias, "f", {6.0: np.full(9, 0.9, np.float32)})
    x, labels, _ = space(3000, 2)
    clean = probe.classify_batch(x[labels == "clean"])[0]
    return dataclasses.replace(probe, of_window=float(np.quantile(clean[:, 1:].max(1), 0.9)))


@pytest.mark.parametrize("seed", range(11, 21))
def test_ten_confirmations_change_next_to_nothing(old, seed):
    x, _, sources = space(500, seed)
    before = old.predict(x)
    rows = generator("confirmed", seed).choice(500, 10, replace=False)
    after = corrected_sets(old, x, x[rows], before[rows], sources[rows]).predict(x)
    assert (after != before).sum() <= 3  # a prior five times as wide changes up to 4


def test_corrections_of_twenty_mistakes_help_on_other_sources(old):
    """An archive that is shifted, as by another microphone; only rows that the probe got wrong are labelled."""
    gains = []
    for seed in (31, 32, 33, 34, 35):
        x, labels, sources = space(900, seed, shift=0.6)
        before = old.predict(x)
        wrong = np.flatnonzero(before != labels)[:20]
        probe = corrected_sets(old, x, x[wrong], labels[wrong], sources[wrong])
        rest = ~np.isin(sources, sources[wrong])
        gains.append((probe.predict(x) == labels)[rest].mean() - (before == labels)[rest].mean())
    assert np.median(gains) > 0.003, gains
    assert min(gains) > -0.005, gains


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_a_new_name_is_learned_from_ten_rows_and_the_faults_beside_it_stay(old, seed):
    x, labels, sources = space(900, seed, squeal=True)
    squeals = membership(labels.tolist(), ["squeal"])[:, 0]
    rows = np.concatenate([np.flatnonzero(squeals)[:10], np.flatnonzero(~squeals)[:10]])
    probe = corrected_sets(old, x, x[rows], labels[rows], sources[rows])
    assert probe.classes == (*old.classes, "squeal")
    rest = ~np.isin(sources, sources[rows])
    after = membership(probe.predict(x).tolist(), ["squeal"])[:, 0]
    assert after[rest & squeals].mean() > 0.45
    assert after[rest & ~squeals].mean() < 0.02
    exact = (probe.predict(x) == labels)[rest].mean() - (old.predict(x) == labels)[rest].mean()
    assert exact > 0.02


def test_a_fault_that_a_label_does_not_name_is_absent(old):
    x, labels, sources = space(600, 51)
    rows = membership(labels.tolist(), ["hum"])[:, 0]
    probe = corrected_sets(old, x, x, np.where(rows, "clean", labels), sources)
    column = old.classes.index("hum")
    before, after = (p.classify_batch(x[rows])[0][:, column].mean() for p in (old, probe))
    assert after < before - 0.5


def test_thresholds_and_severities_of_known_faults_stay(old):
    x, _, sources = space(60, 61)
    labels = np.where(np.arange(60) % 2, "squeal", "hum, squeal")
    probe = corrected_sets(old, x, x, labels, sources)
    assert (probe.of_window, probe.clean_weight) == (old.of_window, old.clean_weight)
    assert np.array_equal(probe.enter(6)[:-1], old.enter(6))
    assert probe.enter(6)[-1] == 0.5
    severities = probe.classify_batch(x)[1]
    assert np.array_equal(severities[:, :-1], old.classify_batch(x)[1])
    assert np.isnan(severities[:, -1]).all()


def test_unfit_rows_are_refused(old):
    x, labels, sources = space(9, 71)
    with pytest.raises(ParameterError, match="expected"):
        corrected_sets(old, x, x[:, :3], labels, sources)
    with pytest.raises(ParameterError, match="labels"):
        corrected_sets(old, x, x, labels[1:], sources)
