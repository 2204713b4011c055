"""Five examples find a label that has its own direction in the space, and give chance without one."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import NeighbourTable, few_shot, hit_leakage, retrieval_chance


def space(strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels, sources = np.tile(["clean", "hum", "new"], 60), np.repeat(np.arange(60), 3)
    x = rng.standard_normal((180, 16)) + strength * np.eye(16)[np.tile([0, 1, 2], 60)]
    return x, labels, sources


def test_few_shot_finds_what_has_a_direction() -> None:
    strong, none = few_shot(*space(6.0), "new"), few_shot(*space(0.0), "new")
    assert strong.precision_at_10 > 0.95
    assert none.precision_at_10 == pytest.approx(none.chance, abs=0.1)
    assert strong.chance == none.chance == pytest.approx(1 / 3, abs=0.01)
    one, many = few_shot(*space(1.5), "new", shots=1), few_shot(*space(1.5), "new", shots=20)
    assert many.precision_at_10 > one.precision_at_10 + 0.1
    assert one == few_shot(*space(1.5), "new", shots=1)


def test_the_examples_sources_are_not_searched() -> None:
    """Every source has its own place in the space: without it, no row with the label is near."""
    labels, sources = np.tile(["clean", "new"], 40), np.repeat(np.arange(40), 2)
    x = np.eye(40)[sources] + 0.01 * np.random.default_rng(0).standard_normal((80, 40))
    result = few_shot(x, labels, sources, "new", shots=1)
    assert result.precision_at_10 == pytest.approx(0.5, abs=0.15)
    with pytest.raises(ParameterError, match="41 at least"):
        few_shot(x, labels, sources, "new", shots=40)


def test_leakage_of_the_ten_nearest_against_loops() -> None:
    rng = np.random.default_rng(0)
    x, sources = rng.standard_normal((50, 4)).astype(np.float32), rng.integers(0, 8, 50).astype(str)
    kinds = np.where(sources < "2", "", np.where(sources < "5", "dog", "rain"))
    same, chance, alike, usual = hit_leakage(NeighbourTable.of(x, sources), kinds)
    unit = x.astype(float) / np.linalg.norm(x.astype(float), axis=1, keepdims=True)
    shares = []
    for i in range(50):
        order = sorted((j for j in range(50) if j != i), key=lambda j: -(unit[i] @ unit[j]))
        assert same[i] == pytest.approx(np.mean([sources[j] == sources[i] for j in order[:10]]))
        others = [j for j in order if sources[j] != sources[i]]
        if not kinds[i]:
            assert np.isnan(alike[i])
            continue
        assert alike[i] == pytest.approx(np.mean([kinds[j] == kinds[i] for j in others[:10]]))
        shares.append(np.mean([kinds[j] == kinds[i] for j in others]))
    assert usual == pytest.approx(np.mean(shares))
    assert chance == pytest.approx(np.mean([(sources == s).sum() - 1 for s in sources]) / 49)
    assert np.isnan(hit_leakage(NeighbourTable.of(x, sources), [""] * 50)[3])


def test_the_chance_of_p_at_10_is_what_a_random_order_has() -> None:
    rng = np.random.default_rng(1)
    labels, sources = rng.choice(["a", "b", "b"], 40), rng.integers(0, 6, 40).astype(str)
    shares = [np.mean([labels[j] == labels[i] for j in range(40) if sources[j] != sources[i]]) for i in range(40)]
    assert retrieval_chance(labels, sources) == pytest.approx(np.mean(shares))
