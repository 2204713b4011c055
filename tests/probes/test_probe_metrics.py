from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import f1_score

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import (
    accuracy,
    clean_recall,
    confusion,
    confusion_table,
    expected_calibration_error,
    fit_temperature,
    macro_f1,
    severity_spearman,
)
from contrastive_artifacts.probes.calibration import probabilities_of


@pytest.fixture
def predicted() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.choice(["clean", "hum", "hiss"], 200, p=[0.5, 0.3, 0.2])
    return labels, np.where(rng.uniform(size=200) < 0.6, labels, rng.choice(["clean", "hum", "clicks"], 200))


def test_against_explicit_loops(predicted: tuple[np.ndarray, np.ndarray]) -> None:
    labels, guesses = predicted
    scores = []
    for name in ("clean", "hum", "hiss", "clicks"):
        hit = sum(a == b == name for a, b in zip(labels, guesses, strict=True))
        false = sum(b == name != a for a, b in zip(labels, guesses, strict=True))
        missed = sum(a == name != b for a, b in zip(labels, guesses, strict=True))
        scores.append(2 * hit / (2 * hit + false + missed))
    assert macro_f1(labels, guesses) == pytest.approx(sum(scores) / 4)
    assert macro_f1(labels, guesses) == pytest.approx(f1_score(labels, guesses, average="macro", zero_division=0))
    assert accuracy(labels, guesses) == pytest.approx(sum(labels == guesses) / 200)
    clean = [b for a, b in zip(labels, guesses, strict=True) if a == "clean"]
    assert clean_recall(labels, guesses) == pytest.approx(clean.count("clean") / len(clean))
    assert np.isnan(clean_recall(["hum"], ["hum"]))


def test_confusion_counts_and_table(predicted: tuple[np.ndarray, np.ndarray]) -> None:
    labels, guesses = predicted
    classes = ("hum", "clean", "hiss", "clicks")
    counts = confusion(labels, guesses, classes)
    for i, a in enumerate(classes):
        for j, b in enumerate(classes):
            assert counts[i, j] == ((labels == a) & (guesses == b)).sum()
    text = confusion_table(confusion(["clean", "hum", "hum"], ["clean", "hum", "clean"]), ("clean", "hum"))
    assert [line.split() for line in text.splitlines()] == [
        ["truth", "clean", "hum", "recall"],
        ["clean", "1", "0", "1.000"],
        ["hum", "1", "1", "0.500"],
    ]
    with pytest.raises(ParameterError, match="'hum' is not one"):
        confusion(["hum"], ["clean"], ("clean",))
    with pytest.raises(ParameterError, match="2 labels but 1"):
        confusion(["hum", "hum"], ["hum"])


def test_severity_correlation_per_class() -> None:
    rng = np.random.default_rng(0)
    artifact = np.repeat(["clean", "hum", "hiss", "clicks"], 50)
    truth = np.where(artifact == "clean", 0.0, rng.integers(0, 8, 200) / 8)  # ties
    estimate = np.where(artifact == "clicks", 0.5, truth + rng.normal(0, 0.3, 200))
    correlations = severity_spearman(artifact, truth, estimate)
    expected = {n: spearmanr(truth[artifact == n], estimate[artifact == n]).statistic for n in ("hum", "hiss")}
    assert correlations["hum"] == pytest.approx(expected["hum"])
    assert correlations["hiss"] == pytest.approx(expected["hiss"])
    assert np.isnan(correlations["clicks"])
    assert correlations["mean"] == pytest.approx((expected["hum"] + expected["hiss"]) / 2)
    assert set(correlations) == {"hum", "hiss", "clicks", "mean"}


def test_calibration_error_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(4), 500)
    hits = rng.uniform(size=500) < chances.max(axis=1) ** 2
    total = 0.0
    for low in range(15):
        inside = [
            i
            for i in range(500)
            if low / 15 <= chances[i].max() < (low + 1) / 15 or (low == 14 and chances[i].max() == 1)
        ]
        if inside:
            gap = np.mean([chances[i].max() for i in inside]) - np.mean([hits[i] for i in inside])
            total += abs(gap) * len(inside) / 500
    assert expected_calibration_error(chances, hits) == pytest.approx(total)
    assert expected_calibration_error(np.eye(3), np.ones(3, bool)) == 0.0
    assert expected_calibration_error(np.eye(3), np.zeros(3, bool)) == 1.0


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_temperature_finds_the_factor_that_was_put_in(factor: float) -> None:
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((20000, 4))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = (chances.cumsum(axis=1) < rng.uniform(size=(20000, 1))).sum(axis=1)
    assert fit_temperature(factor * logits, targets) == pytest.approx(factor, rel=0.05)
    with pytest.raises(ParameterError):
        fit_temperature(logits[:0], targets[:0])


@pytest.mark.parametrize("count", [20, 200])
def test_rows_that_are_all_right_do_not_make_a_probe_certain(count: int) -> None:
    targets = np.arange(count) % 2
    logits = np.eye(2)[targets]
    top = probabilities_of(logits, fit_temperature(logits, targets)).max(axis=1)
    np.testing.assert_allclose(top, (count + 1) / (count + 2), atol=1e-3)
