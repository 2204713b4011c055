from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError, SplitError
from contrastive_artifacts.probes import Embedded, LinearProbe, SeverityProbe, accuracy, expected_calibration_error


def test_classifies_artifacts_of_unseen_sources(train: Embedded, test: Embedded) -> None:
    probe = LinearProbe.fit(train.x, train.artifact, train.source)
    assert probe.classes == ("clean", "clicks", "hiss", "hum")
    chances = probe.predict_proba(test.x)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-12)
    assert accuracy(test.artifact, probe.predict(test.x)) > 0.8
    assert (np.array(probe.classes)[chances.argmax(axis=1)] == probe.predict(test.x)).all()


def test_input_scale_offset_and_a_still_dimension_do_not_matter(train: Embedded, test: Embedded) -> None:
    plain = LinearProbe.fit(train.x, train.artifact, train.source)
    scale, offset = np.geomspace(0.01, 100, 16), np.linspace(-3, 3, 16)

    def moved(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x * scale + offset, np.full((len(x), 1), 7.0)], axis=1)

    other = LinearProbe.fit(moved(train.x), train.artifact, train.source)
    assert other.strength == plain.strength
    np.testing.assert_allclose(other.predict_proba(moved(test.x)), plain.predict_proba(test.x), atol=0.01)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_the_order_of_the_rows_does_not_matter(train: Embedded, test: Embedded, penalty: str) -> None:
    mixed = train.take(np.random.default_rng(3).permutation(len(train)))
    one = LinearProbe.fit(train.x, train.artifact, train.source, penalty)
    two = LinearProbe.fit(mixed.x, mixed.artifact, mixed.source, penalty)
    np.testing.assert_array_equal(one.predict_proba(test.x), two.predict_proba(test.x))


def test_l1_leaves_useless_dimensions_out(train: Embedded) -> None:
    noise = np.random.default_rng(0).standard_normal((len(train), 40))
    x = np.concatenate([train.x, noise], axis=1)
    sparse = LinearProbe.fit(x, train.artifact, train.source, "l1", strengths=[0.03])
    dense = LinearProbe.fit(x, train.artifact, train.source, "l2")
    assert (sparse.weights[:, 16:] == 0).mean() > 0.8 > (sparse.weights[:, :16] == 0).mean()
    assert (dense.weights == 0).mean() < 0.01


def test_strength_and_temperature_are_chosen_across_sources() -> None:
    # A label for each source: a faint cue that all sources share, and the source itself, which only windows can use.
    rng = np.random.default_rng(0)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sources = np.repeat(np.arange(count), 10)
        labels = rng.permutation(np.arange(count) % 2)[sources]
        x = rng.standard_normal((count, 64))[sources] + 0.1 * rng.standard_normal((10 * count, 64))
        x[:, 0] += 2.0 * labels
        return x, np.array(["a", "b"])[labels], sources

    x, labels, sources = draw(150)
    unseen, truth, _ = draw(400)
    grouped, by_window = LinearProbe.fit(x, labels, sources), LinearProbe.fit(x, labels, np.arange(len(x)))
    assert grouped.strength >= 30 * by_window.strength
    assert accuracy(truth, grouped.predict(unseen)) > accuracy(truth, by_window.predict(unseen)) + 0.01

    def error(probe: LinearProbe) -> float:
        return expected_calibration_error(probe.predict_proba(unseen), probe.predict(unseen) == truth)

    assert error(grouped) < 0.1 < 0.2 < error(by_window)


def test_calibration_lowers_the_error_of_an_overconfident_probe() -> None:
    rng = np.random.default_rng(0)
    sources = np.repeat(np.arange(120), 5)
    labels = rng.integers(0, 3, 600)
    weights = rng.standard_normal((3, 80))

    def draw(labels: np.ndarray) -> np.ndarray:
        return 0.12 * weights[labels] + rng.standard_normal((len(labels), 80))

    x, truth = draw(labels), rng.integers(0, 3, 3000)
    unseen = draw(truth)
    # A penalty too small for so many dimensions: over-confident and often wrong.
    probe = LinearProbe.fit(x, labels, sources, strengths=[1e-4])
    hits = probe.predict(unseen) == truth.astype(str)
    raw = LinearProbe(probe.classes, probe.weights, probe.bias, 1.0, probe.strength)
    before = expected_calibration_error(raw.predict_proba(unseen), hits)
    after = expected_calibration_error(probe.predict_proba(unseen), hits)
    assert probe.temperature > 1.5
    assert before > 0.15
    assert after < 0.35 * before


def test_two_classes_and_a_class_of_a_single_source(train: Embedded) -> None:
    binary = np.where(train.artifact == "clean", "clean", "artifact")
    probe = LinearProbe.fit(train.x, binary, train.source)
    assert accuracy(binary, probe.predict(train.x)) > 0.85
    rare = np.where(train.source == train.source[0], "rare", train.artifact)
    probe = LinearProbe.fit(train.x, rare, train.source)
    assert probe.classes == ("clean", "clicks", "hiss", "hum", "rare")
    assert probe.predict_proba(train.x).shape == (len(train), 5)
    # Folds cannot predict the class of a single source; its rows must not count in the temperature.
    assert probe.temperature < 1.5 * LinearProbe.fit(train.x, train.artifact, train.source).temperature


def test_unfit_input(train: Embedded) -> None:
    with pytest.raises(SplitError):
        LinearProbe.fit(train.x, train.artifact, np.full(len(train), "one"))
    with pytest.raises(ParameterError, match="at least two"):
        LinearProbe.fit(train.x, np.full(len(train), "clean"), train.source)
    with pytest.raises(ParameterError, match="penalty"):
        LinearProbe.fit(train.x, train.artifact, train.source, "l3")
    probe = LinearProbe.fit(train.x, train.artifact, train.source, strengths=[1.0])
    with pytest.raises(ParameterError, match=r"expected \[N, 16\]"):
        probe.predict_proba(np.ones((2, 15)))


def test_severity_of_unseen_sources(train: Embedded, test: Embedded) -> None:
    fitted, unseen = train.take(train.artifact == "hum"), test.take(test.artifact == "hum")
    probe = SeverityProbe.fit(fitted.x, fitted.severity, fitted.source)
    estimate = probe.predict(unseen.x)
    assert np.corrcoef(estimate, unseen.severity)[0, 1] > 0.7
    assert np.abs(estimate - unseen.severity).mean() < 0.15
    assert probe.predict(100 * unseen.x).min() >= 0.0
    assert probe.predict(100 * unseen.x).max() <= 1.0


def test_severity_with_nothing_to_learn_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    severity = rng.uniform(0, 1, 60)
    probe = SeverityProbe.fit(rng.standard_normal((60, 30)), severity, np.repeat(np.arange(20), 3))
    np.testing.assert_allclose(probe.predict(np.zeros((1, 30))), severity.mean(), atol=0.1)
    one = SeverityProbe.fit(np.ones((3, 4)), [0.5, 0.5, 0.5], ["a", "a", "a"])
    np.testing.assert_allclose(one.predict(np.ones((1, 4))), 0.5, atol=1e-6)
    with pytest.raises(ParameterError, match="0, 1"):
        SeverityProbe.fit(np.ones((2, 4)), [0.5, 1.5], ["a", "b"])
