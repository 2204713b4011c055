"""The columns of verdicts, of one label and of label sets."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.embedding import load
from contrastive_artifacts.probes import SetProbe, verdict_columns

CLASSES = ("clean", "hum", "hiss")


def test_sets_add_what_is_present_and_every_chance():
    zeros = np.zeros((3, 2), np.float32)
    probe = SetProbe(CLASSES, zeros, zeros[:, 0], zeros, zeros[:, 0], "f")
    chances = np.array([[0.1, 0.9, 0.7], [0.9, 0.1, 0.2], [0.1, 0.2, 0.8]])
    severities = np.array([[0, 0.2, 0.6], [0, 0.5, 0.5], [0, 0.1, 0.3]], np.float32)
    columns = verdict_columns(probe, CLASSES, chances, severities)
    assert columns["heard"].to_pylist() == ["hiss", "clean", "hiss"], "the most severe of those present"
    assert columns["present"].to_pylist() == ["hiss, hum", "clean", "hiss"]
    assert columns["heard_severity"].to_pylist() == pytest.approx([0.6, 0, 0.3])
    assert columns["chance_hum"].to_pylist() == pytest.approx([0.9, 0.1, 0.2])
    assert "chance_clean" not in columns


def test_one_label_has_three_columns():
    encoder = load("release/mn04")
    columns = encoder.verdict_columns(np.eye(3, encoder.dim, dtype=np.float32))
    assert list(columns) == ["heard", "heard_severity", "heard_probability"]
    assert set(columns["heard"].to_pylist()) <= set(encoder.labels)
