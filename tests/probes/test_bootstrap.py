from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import accuracy, bootstrap, bootstrap_gain, bootstrap_mean, macro_f1


def noisy(rng: np.random.Generator, groups: int = 40, size: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half of the sources are easy (.95), half hard (.45): views of one source are alike. True accuracy .7."""
    source = np.repeat(np.arange(groups), size)
    chance = np.where(rng.uniform(size=groups) < 0.5, 0.95, 0.45)[source]
    labels = rng.choice(["clean", "hum"], len(source))
    right = rng.uniform(size=len(source)) < chance
    return labels, np.where(right, labels, np.where(labels == "hum", "clean", "hum")), source


def test_intervals_cover_and_those_over_views_do_not() -> None:
    rng = np.random.default_rng(0)
    by_source = by_view = 0
    for trial in range(200):
        labels, guesses, source = noisy(rng)
        _, low, high = bootstrap(accuracy, labels, guesses, source, n=300, seed=trial)
        by_source += low <= 0.7 <= high
        _, low, high = bootstrap(accuracy, labels, guesses, np.arange(len(labels)), n=300, seed=trial)
        by_view += low <= 0.7 <= high
    assert by_source / 200 > 0.89
    assert by_view / 200 < 0.85


def test_the_fast_path_equals_resampling_rows() -> None:
    labels, guesses, source = noisy(np.random.default_rng(1), groups=12)

    def slow(a: np.ndarray, b: np.ndarray) -> float:
        return macro_f1(a, b)

    fast = bootstrap(macro_f1, labels, guesses, source, n=100, seed=3)
    np.testing.assert_allclose(fast, bootstrap(slow, labels, guesses, source, n=100, seed=3), rtol=1e-12)
    assert fast.low < fast.value < fast.high
    assert fast.value == macro_f1(labels, guesses)
    right = (labels == guesses).astype(float)
    mean = bootstrap_mean(right, source, n=100, seed=3)
    np.testing.assert_allclose(mean, bootstrap(accuracy, labels, guesses, source, n=100, seed=3), rtol=1e-12)


def test_seed_and_order() -> None:
    labels, guesses, source = noisy(np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(labels))
    one = bootstrap(accuracy, labels, guesses, source, seed=3)
    assert one == bootstrap(accuracy, labels[order], guesses[order], source[order], seed=3)
    assert one != bootstrap(accuracy, labels, guesses, source, seed=4)


def test_undefined_values_do_not_count() -> None:
    values = np.array([1.0, np.nan, 0.0, 1.0])
    assert bootstrap_mean(values, ["a", "b", "c", "d"]).value == pytest.approx(2 / 3)
    nothing = bootstrap_mean([np.nan, np.nan], ["a", "b"])
    assert np.isnan(nothing).all()
    single = bootstrap_mean([1.0, 0.0], ["a", "a"])
    assert single.value == 0.5
    assert np.isnan([single.low, single.high]).all()
    with pytest.raises(ParameterError):
        bootstrap_mean([], [])
    with pytest.raises(ParameterError, match="2 labels but 1"):
        bootstrap(accuracy, ["a", "b"], ["a"], ["x", "y"])


def test_a_gain_is_paired() -> None:
    """Predictions that differ in one view in twenty: the interval of the gain is far narrower than that of a figure."""
    labels, guesses, source = noisy(np.random.default_rng(2), groups=60)
    better = np.where(np.arange(len(labels)) % 20 == 0, labels, guesses)
    gain = bootstrap_gain(macro_f1, labels, guesses, better, source, n=400)
    assert gain.value == pytest.approx(macro_f1(labels, better) - macro_f1(labels, guesses))
    assert 0 < gain.low < gain.value < gain.high
    figure = bootstrap(macro_f1, labels, better, source, n=400)
    assert gain.high - gain.low < 0.4 * (figure.high - figure.low)
    assert bootstrap_gain(macro_f1, labels, guesses, guesses, source, n=50) == (0.0, 0.0, 0.0)
