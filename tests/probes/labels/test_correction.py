"""A corrected probe stays the old one with few labels, follows many, and is robust against labels of mistakes only."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.probes import LinearProbe, accuracy, expected_calibration_error
from contrastive_artifacts.probes.labels.correction import ROWS_PER_SOURCE, corrected, without_copies

KNOWN = ("clean", "hiss", "hum", "clicks")
DIM = 24


def space(sources: int, seed: int, kinds=KNOWN, shift: float = 0.0, strength: float = 0.9):
    """Unit rows x [N, D], labels, sources: a direction per kind, content per source, a bias towards hiss in all."""
    rng = generator("correction", seed)
    fixed = generator("directions")
    directions = {name: fixed.standard_normal(DIM) for name in (*KNOWN, "squeal")}
    offset = (directions["hiss"] - directions["clean"]) * shift
    labels = np.tile(np.array(kinds), sources)
    source = np.repeat(np.arange(sources), len(kinds))
    content = rng.standard_normal((sources, DIM))[source] * 0.5
    x = np.stack([directions[str(name)] for name in labels]) * strength + content + offset
    x = x + rng.standard_normal(x.shape) * 0.9
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit.astype(np.float32), labels, np.array([f"{seed}-{n}" for n in source])


@pytest.fixture(scope="module")
def old() -> LinearProbe:
    return LinearProbe.fit(*space(150, 1))


def predicted(probe: LinearProbe, x: np.ndarray) -> np.ndarray:
    return probe.predict(x)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_new_label_is_learned_from_ten_rows_and_the_old_ones_stay(old, seed):
    x, labels, sources = space(80, seed, (*KNOWN, "squeal"))
    new, others = np.flatnonzero(labels == "squeal")[:10], np.flatnonzero(labels != "squeal")[:10]
    rows = np.concatenate([new, others])
    probe = corrected(old, x, x[rows], labels[rows], sources[rows])
    rest = ~np.isin(sources, sources[rows])
    assert probe.classes == tuple(sorted((*KNOWN, "squeal")))
    predictions = predicted(probe, x[rest])
    truth = labels[rest]
    assert (predictions[truth == "squeal"] == "squeal").mean() > 0.7
    assert (predictions[truth != "squeal"] == "squeal").mean() < 0.1
    before, after = accuracy(truth, predicted(old, x[rest])), accuracy(truth, predictions)
    assert after > before + 0.08
    known = truth != "squeal"
    assert accuracy(truth[known], predictions[known]) > accuracy(truth[known], predicted(old, x[rest][known])) - 0.06
    chances = probe.predict_proba(x[rest])
    assert np.allclose(chances.sum(axis=1), 1)
    assert expected_calibration_error(chances, predictions == truth) < 0.12


def test_a_shifted_archive_is_adapted_to(old):
    """All rows are shifted towards hiss, as by another microphone: labels of some sources help on the others."""
    before, after = [], []
    for seed in (21, 22, 23):
        x, labels, sources = space(100, seed, shift=0.35)
        labelled, rest = slice(0, 160), slice(160, None)
        probe = corrected(old, x, x[labelled], labels[labelled], sources[labelled])
        before.append(accuracy(labels[rest], predicted(old, x[rest])))
        after.append(accuracy(labels[rest], predicted(probe, x[rest])))
    assert np.median(after) > np.median(before) + 0.05, (before, after)


def test_few_labels_and_labels_that_agree_change_little(old):
    x, labels, sources = space(60, 31)
    far = space(60, 32)[0]
    one = corrected(old, x, x[:1], labels[:1], sources[:1])
    assert (predicted(one, far) == predicted(old, far)).mean() > 0.95
    agree = np.flatnonzero((predicted(old, x) == labels) & (labels == "hum"))
    alone = corrected(old, x, x[agree], labels[agree], sources[agree])  # a single label
    assert (predicted(alone, far) == predicted(old, far)).mean() > 0.93


def test_labels_of_mistakes_alone_do_not_ruin_the_probe():
    """Users label mistakes: there are no labels of the rows that the old probe classified correctly."""
    old, changes = LinearProbe.fit(*space(150, 1, strength=0.45)), []
    for seed in (41, 42, 43):
        x, labels, sources = space(100, seed, strength=0.45)
        wrong = np.flatnonzero(predicted(old, x) != labels)[:30]
        assert len(wrong) == 30
        probe = corrected(old, x, x[wrong], labels[wrong], sources[wrong])
        rest = ~np.isin(sources, sources[wrong])
        before, after = (accuracy(labels[rest], predicted(p, x[rest])) for p in (old, probe))
        changes.append(after - before)
    assert np.median(changes) > -0.06, changes


def test_many_labels_overrule_the_old_probe(old):
    """Two exchanged labels are learned from many rows, against the old probe."""
    x, labels, sources = space(300, 51)
    swapped = np.where(labels == "hum", "hiss", np.where(labels == "hiss", "hum", labels))
    labelled, rest = slice(0, 1000), slice(1000, None)
    probe = corrected(old, x, x[labelled], swapped[labelled], sources[labelled])
    assert accuracy(swapped[rest], predicted(probe, x[rest])) > accuracy(swapped[rest], predicted(old, x[rest])) + 0.25


def test_windows_of_one_recording_with_one_label_count_as_few_rows():
    labels = np.array(["hum"] * 100 + ["squeal"] * 5)
    sources = np.array(["film"] * 95 + [f"s{n}" for n in range(10)])
    weights = without_copies(labels, sources)
    assert weights[:95].sum() == pytest.approx(ROWS_PER_SOURCE), "windows are nearly copies"
    assert (weights[95:] == 1).all(), "a row of a rare label, perhaps a slip, weighs no more than others"


def test_the_order_of_rows_does_not_matter_and_unfit_rows_are_refused(old):
    x, labels, sources = space(10, 61)
    one = corrected(old, x, x, labels, sources)
    two = corrected(old, x, x[::-1], labels[::-1], sources[::-1])
    assert np.allclose(one.predict_proba(x), two.predict_proba(x), atol=1e-3)
    with pytest.raises(ParameterError, match="expected"):
        corrected(old, x, x[:, :3], labels, sources)
    with pytest.raises(ParameterError, match="labels"):
        corrected(old, x, x, labels[1:], sources)
