"""What a probe says of views: reliability, fault against clean, severities, confusion."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.probes import Embedded, Outcomes, Probe


def outcomes(**changes: np.ndarray) -> Outcomes:
    """Five views of two faults: clean, hum, hum, clicks, and one of both."""
    there = np.array([[0, 0], [1, 0], [1, 0], [0, 1], [1, 1]], bool)
    values = {
        "chances": np.array([[0.05, 0.25], [0.95, 0.05], [0.85, 0.15], [0.45, 0.65], [0.95, 0.95]]),
        "estimates": np.full((5, 2), 0.4),
        "there": there,
        "severities": np.where(there, 0.3, np.nan),
        "unknown": np.zeros((5, 2), bool),
        "predicted": np.array(["clean", "hum", "clicks", "clicks", "hum"]),
        "vectors": np.zeros((5, 3), np.float32),
    }
    return Outcomes(("hum", "clicks"), **{**values, **changes})


def test_a_fault_is_compared_with_clean_views_where_it_is_alone() -> None:
    there, chances = outcomes().against_clean(0)
    assert there.tolist() == [False, True, True]
    assert chances.tolist() == [0.05, 0.95, 0.85]
    unknown = np.zeros((5, 2), bool)
    unknown[0, 0] = True
    assert outcomes(unknown=unknown).against_clean(0)[0].tolist() == [True, True]


def test_reliability_is_how_often_a_chance_is_right() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random((20000, 2))
    there = rng.random((20000, 2)) < chances
    views = {
        "estimates": chances,
        "severities": chances,
        "unknown": ~np.ones_like(there),
        "predicted": np.zeros(20000),
        "vectors": chances,
    }
    calibrated = Outcomes(("hum", "clicks"), chances, there=there, **views).reliability()
    assert calibrated[:, 2].sum() == 40000
    np.testing.assert_allclose(calibrated[:, 1], calibrated[:, 0], atol=0.03)
    doubtless = Outcomes(("hum", "clicks"), np.sqrt(chances), there=there, **views).reliability()
    assert (doubtless[3:-1, 1] < doubtless[3:-1, 0] - 0.05).all()


def test_reliability_leaves_out_what_is_unknown_and_empty_bins() -> None:
    unknown = np.ones((5, 2), bool)
    unknown[0] = False
    np.testing.assert_allclose(outcomes(unknown=unknown).reliability(), [[0.05, 0, 1], [0.25, 0, 1]])


def test_confusion_counts_single_faults_and_clean() -> None:
    counts, classes = outcomes().confusion()
    assert classes == ("clean", "hum", "clicks")
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


def test_severities_are_those_of_views_with_the_fault() -> None:
    rendered, estimated = outcomes().severity_pairs(1)
    assert rendered.tolist() == pytest.approx([0.3, 0.3])
    assert estimated.tolist() == pytest.approx([0.4, 0.4])


def test_of_one_label_follows_the_probe() -> None:
    rng = np.random.default_rng(1)
    names = np.repeat(["clean", "hum", "clicks"], 40)
    x = np.eye(3)[np.repeat([0, 1, 2], 40)] + 0.1 * rng.standard_normal((120, 3))
    severity = np.where(names == "clean", 0, rng.random(120))
    x[:, 0] += severity
    views = Embedded(x, names, severity, np.tile([f"s{n}" for n in range(10)], 12))
    probe = Probe.fit(views, "print")
    seen = Outcomes.of_one_label(probe.classes, *probe.classify_batch(views.x), views.artifact, views.severity, views.x)
    assert set(seen.names) == {"hum", "clicks"}
    assert (seen.predicted == names).mean() > 0.9
    hum = seen.names.index("hum")
    assert seen.there[:, hum].tolist() == (names == "hum").tolist()
    assert seen.chances[names == "hum", hum].mean() > 0.8 > 0.2 > seen.chances[names == "clean", hum].mean()
    assert np.isnan(seen.severities[names == "clean"]).all()
