"""Localisation against cases whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import localisation
from contrastive_artifacts.probes.localisation import longest_run

NAMES = ("clean", "hum", "clicks")


def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three views of ten frames of 0.1 s: clean, hum in frames 2-5, clicks in frames 6-7."""
    targets = np.zeros((3, 10, 3))
    targets[1, 2:6, 1] = targets[2, 6:8, 2] = 1
    targets[..., 0] = 1 - targets.sum(2)
    return targets.copy(), targets, np.array([[0, 0], [0.23, 0.58], [0.6, 0.8]])


def test_a_perfect_answer():
    probabilities, targets, spans = case()
    found = localisation(probabilities, targets, spans, 0.1, NAMES)
    assert found["classes"].keys() == {"hum", "clicks"}
    assert found["mean"]["ap"] == found["mean"]["f1"] == found["mean"]["found"] == 1
    assert found["classes"]["hum"]["onset_ms"] == pytest.approx(30)
    assert found["classes"]["hum"]["offset_ms"] == pytest.approx(20)
    assert found["classes"]["clicks"]["onset_ms"] == pytest.approx(0)


def test_late_short_and_missed():
    probabilities, targets, spans = case()
    probabilities[1, 2:4, 1] = 0.2  # hum is said in 4 and 5 only
    probabilities[2, :, 2] = 0.1  # clicks are never said
    found = localisation(probabilities, targets, spans, 0.1, NAMES)["classes"]
    assert found["hum"]["f1"] == pytest.approx(2 * 2 / (4 + 2))
    assert found["hum"]["ap"] == pytest.approx(1)  # 0.2 still stands above all others
    assert found["hum"]["onset_ms"] == pytest.approx(170)
    assert (found["clicks"]["found"], found["clicks"]["f1"]) == (0, 0)
    assert found["clicks"]["ap"] == pytest.approx(2 / 10)  # two frames of the ten that say it faintly
    assert found["clicks"]["onset_ms"] is None


def test_a_class_that_does_not_occur_is_not_counted():
    probabilities, targets, spans = case()
    found = localisation(probabilities[:2], targets[:2], spans[:2], 0.1, NAMES)
    assert found["classes"]["clicks"]["ap"] is None
    assert found["mean"]["ap"] == 1


def test_runs_and_shapes():
    assert longest_run(np.zeros(4, bool)) is None
    assert longest_run(np.array([1, 1, 0, 1, 1, 1], bool)) == (3, 6)
    assert longest_run(np.array([1, 0, 1], bool)) == (0, 1)
    probabilities, targets, spans = case()
    with pytest.raises(ParameterError, match="do not fit"):
        localisation(probabilities, targets[:2], spans, 0.1, NAMES)
