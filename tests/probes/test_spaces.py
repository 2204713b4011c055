from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from contrastive_artifacts.probes import (
    Embedded,
    NeighbourTable,
    alignment,
    content_leakage,
    effective_rank,
    hubness,
    retrieval,
    uniformity,
)
from contrastive_artifacts.probes.spaces import sample_rows


@pytest.fixture
def small() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x [60, 5], labels, sources and the matrix of cosines."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 5)).astype(np.float32)
    unit = x.astype(float) / np.linalg.norm(x.astype(float), axis=1, keepdims=True)
    return x, rng.choice(["clean", "hum", "hiss"], 60), rng.integers(0, 9, 60).astype(str), unit @ unit.T


def test_retrieval_against_loops(small: tuple) -> None:
    x, labels, sources, cosine = small
    figures = retrieval(NeighbourTable.of(x, sources), labels)
    for i in range(60):
        others = sorted((j for j in range(60) if sources[j] != sources[i]), key=lambda j: -cosine[i, j])
        relevant = [labels[j] == labels[i] for j in others]
        assert figures.precision_at_10[i] == pytest.approx(sum(relevant[:10]) / 10)
        precisions = [sum(relevant[: r + 1]) / (r + 1) for r in range(min(100, len(relevant))) if relevant[r]]
        assert figures.average_precision_at_100[i] == pytest.approx(sum(precisions) / sum(relevant))


def test_retrieval_beyond_a_hundred_and_without_any() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal([5, 0], 0.1, (150, 2)), rng.normal([0, 5], 0.1, (2, 2))])
    labels = np.array(["a"] * 150 + ["b", "c"])
    figures = retrieval(NeighbourTable.of(x, np.arange(152)), labels)
    np.testing.assert_allclose(figures.average_precision_at_100[:150], 1.0)
    np.testing.assert_allclose(figures.precision_at_10[:150], 1.0)
    assert np.isnan(figures.precision_at_10[150:]).all()
    # All matches of its own source: nothing is left to retrieve.
    one_source = retrieval(NeighbourTable.of(x[:10], np.repeat("one", 10)), labels[:10])
    assert np.isnan(one_source.average_precision_at_100).all()


def test_leakage_against_a_loop_and_its_chance(small: tuple, space: Callable[..., Embedded]) -> None:
    x, _, sources, cosine = small
    same, chance = content_leakage(NeighbourTable.of(x, sources))
    np.fill_diagonal(cosine, -9)
    assert same.tolist() == [float(sources[cosine[i].argmax()] == sources[i]) for i in range(60)]
    pairs = [sources[i] == sources[j] for i in range(60) for j in range(60) if i != j]
    assert chance == pytest.approx(np.mean(pairs))
    rng = np.random.default_rng(5)
    noise, level = content_leakage(NeighbourTable.of(rng.standard_normal((3000, 20)), rng.integers(0, 10, 3000)))
    assert noise.mean() == pytest.approx(level, abs=0.03)
    content = space(content=3.0, artifact=0.2)
    assert content_leakage(NeighbourTable.of(content.x, content.source))[0].mean() > 0.98
    by_artifact = space(content=0.02, artifact=5.0)
    assert content_leakage(NeighbourTable.of(by_artifact.x, by_artifact.source))[0].mean() < 0.3


def test_effective_rank() -> None:
    assert effective_rank(np.eye(7)) == pytest.approx(7.0)
    assert effective_rank(np.outer(np.arange(1, 9), [1.0, 2.0, 3.0])) == pytest.approx(1.0, abs=1e-5)
    assert effective_rank(np.zeros((3, 4))) == 0.0
    x = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)
    values = np.linalg.svd(x.astype(float), compute_uv=False)
    share = values / values.sum()
    expected = np.exp(sum(-p * np.log(p) for p in share))
    assert effective_rank(x) == pytest.approx(expected, rel=1e-6)
    assert effective_rank(x.T) == pytest.approx(expected, rel=1e-6)


def test_alignment_and_uniformity_against_loops(small: tuple) -> None:
    x, labels, sources, cosine = small
    positive = [
        2 - 2 * cosine[i, j]
        for i in range(60)
        for j in range(60)
        if labels[i] == labels[j] and sources[i] != sources[j]
    ]
    assert alignment(x, labels, sources) == pytest.approx(np.mean(positive), rel=1e-5)
    potential = [np.exp(-2 * (2 - 2 * cosine[i, j])) for i in range(60) for j in range(60) if i != j]
    assert uniformity(x) == pytest.approx(np.log(np.mean(potential)), rel=1e-5)
    assert uniformity(np.ones((50, 3))) == pytest.approx(0.0, abs=1e-5)
    assert np.isnan(alignment(x, np.arange(60), sources))


def test_uniformity_over_several_blocks_equals_one() -> None:
    x = np.random.default_rng(0).standard_normal((1500, 4)).astype(np.float32)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    potential = np.exp(4 * (unit @ unit.T).astype(float) - 4)
    expected = np.log((potential.sum() - np.trace(potential)) / (1500 * 1499))
    assert uniformity(x) == pytest.approx(expected, rel=1e-4)


def test_hubness(small: tuple) -> None:
    x, _, sources, cosine = small
    np.fill_diagonal(cosine, -9)
    occurs = np.zeros(60)
    for i in range(60):
        occurs[np.argsort(-cosine[i])[:10]] += 1
    skewness = np.mean((occurs - occurs.mean()) ** 3) / np.std(occurs) ** 3
    assert hubness(NeighbourTable.of(x, sources)) == pytest.approx(skewness, rel=1e-6)
    rng = np.random.default_rng(0)
    noise, distance = rng.standard_normal((800, 50)), rng.uniform(0.1, 2.0, (800, 1))
    own_source = np.arange(800)
    even, hubs = (hubness(NeighbourTable.of(rows, own_source)) for rows in (noise, 1.0 + distance * noise))
    assert hubs > 2.0 > 0.5 > abs(even)  # rows near the common centre are everyone's neighbour
    assert np.isnan(hubness(NeighbourTable.of(x[:11], sources[:11])))


def test_the_sample_is_fixed_and_without_repeats() -> None:
    assert sample_rows(10).tolist() == list(range(10))
    rows = sample_rows(9000)
    assert len(np.unique(rows)) == len(rows) == 5000
    assert (rows == sample_rows(9000)).all()
