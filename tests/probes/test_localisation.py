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


def test_perfect_probabilities():
    probabilities, targets, spans = case()
    figures = localisation(probabilities, targets, spans, 0.1, NAMES)
    assert figures["classes"].keys() == {"hum", "clicks"}
    assert figures["mean"]["ap"] == figures["mean"]["f1"] == figures["mean"]["found"] == 1
    assert figures["classes"]["hum"]["onset_ms"] == pytest.approx(30)
    assert figures["classes"]["hum"]["offset_ms"] == pytest.approx(20)
    assert figures["classes"]["clicks"]["onset_ms"] == pytest.approx(0)


def test_a_late_onset_and_a_missed_artifact():
    probabilities, targets, spans = case()
    probabilities[1, 2:4, 1] = 0.2  # hum is detected in frames 4 and 5 only
    probabilities[2, :, 2] = 0.1  # clicks are never detected
    figures = localisation(probabilities, targets, spans, 0.1, NAMES)["classes"]
    assert figures["hum"]["f1"] == pytest.approx(2 * 2 / (4 + 2))
    assert figures["hum"]["ap"] == pytest.approx(1)  # 0.2 is still above all other probabilities
    assert figures["hum"]["onset_ms"] == pytest.approx(170)
    assert (figures["clicks"]["found"], figures["clicks"]["f1"]) == (0, 0)
    assert figures["clicks"]["ap"] == pytest.approx(2 / 10)  # two of the ten frames with equal probability
    assert figures["clicks"]["onset_ms"] is None


def test_a_class_that_does_not_occur_is_not_counted():
    probabilities, targets, spans = case()
    figures = localisation(probabilities[:2], targets[:2], spans[:2], 0.1, NAMES)
    assert figures["classes"]["clicks"]["ap"] is None
    assert figures["mean"]["ap"] == 1


def test_runs_and_shapes():
    assert longest_run(np.zeros(4, bool)) is None
    assert longest_run(np.array([1, 1, 0, 1, 1, 1], bool)) == (3, 6)
    assert longest_run(np.array([1, 0, 1], bool)) == (0, 1)
    probabilities, targets, spans = case()
    with pytest.raises(ParameterError, match="do not fit"):
        localisation(probabilities, targets[:2], spans, 0.1, NAMES)
