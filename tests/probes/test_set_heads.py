"""The probe of label sets from the heads of an encoder: calibration of its log odds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.probes.set_heads import FLAGGED, calibrated, set_probe


def test_calibration_recovers_the_scale_and_shift_of_log_odds():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, (20000, 1))
    there = rng.random((20000, 1)) < expit(true)
    scale, shift = calibrated(2 * true + 1, there, np.ones_like(there))
    assert scale[0] == pytest.approx(0.5, abs=0.03)
    assert shift[0] == pytest.approx(-0.5, abs=0.05)


def test_what_a_view_may_hold_does_not_count_for_the_calibration():
    rng = np.random.default_rng(3)
    true = rng.normal(size=(4000, 1))
    there = rng.random((4000, 1)) < 1 / (1 + np.exp(-true))
    brought = ~there & (true > 0.5)  # sounds as if it were there, and nobody rendered it
    scale, shift = calibrated(true, there, ~brought)
    biased, _ = calibrated(true, there, np.ones_like(there))
    assert scale[0] > 1.5 * biased[0]
    assert shift[0] > 0


def test_a_fault_that_was_never_there_stays_uncalibrated():
    scale, shift = calibrated(
        np.random.default_rng(0).normal(size=(100, 1)), np.zeros((100, 1), bool), np.ones((100, 1), bool)
    )
    assert (scale[0], shift[0]) == (1.0, 0.0)


def test_the_probe_of_heads_equals_the_heads_where_they_are_calibrated():
    rng = np.random.default_rng(1)
    h = unit_rows(rng.standard_normal((30000, 4)), np.float64) * 2.0
    weights, bias = rng.standard_normal((3, 4)), np.array([0.5, -0.5, 0.2])
    odds = h @ weights.T + bias
    there = rng.random((30000, 2)) < expit(odds[:, 1:])
    probe = set_probe(("clean", "hum", "clicks"), (weights, bias), (weights, bias), h, there, np.zeros_like(there), "f")
    chances, severities = probe.classify_batch(unit_rows(h[:50]))
    np.testing.assert_allclose(chances[:, 1:], expit(odds[:50, 1:]), atol=0.03)
    np.testing.assert_allclose(severities[:, 1:], expit(odds[:50, 1:]), atol=1e-5)


def test_a_fault_is_present_in_a_fixed_share_of_other_clean_views():
    rng = np.random.default_rng(2)
    h = unit_rows(rng.standard_normal((20000, 4)), np.float64) * 2.0
    weights, bias = 2 * rng.standard_normal((3, 4)), np.array([0.5, -2.5, -2.0])
    there = rng.random((20000, 2)) < expit(h @ weights[1:].T + bias[1:])
    fit, rest = np.arange(20000) < 10000, np.arange(20000) >= 10000
    probe = set_probe(
        ("clean", "hum", "clicks"), (weights, bias), (weights, bias), h[fit], there[fit], np.zeros_like(there[fit]), "f"
    )
    assert probe.clean_weight == pytest.approx(4 * there[fit].any(1).sum() / (~there[fit].any(1)).sum())
    clean = unit_rows(h[rest & ~there.any(1)])
    flagged = probe.present(probe.classify_batch(clean)[0]).any(1).mean()
    assert flagged == pytest.approx(FLAGGED, abs=0.02)
