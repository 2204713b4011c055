"""The probe of label sets: chances, thresholds, verdicts, calibration and storage."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit, logit

from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.probes import Probe, SetProbe, load_any_probe

CLASSES = ("clean", "hum", "clicks")


@pytest.fixture
def probe() -> SetProbe:
    """Hum lies along the second axis, clicks along the third; the severity of clicks is higher."""
    return SetProbe(
        CLASSES,
        np.diag([4.0, 8.0, 8.0]).astype(np.float32),
        np.array([0.0, -4.0, -4.0], np.float32),
        np.zeros((3, 3), np.float32),
        np.array([0.0, -1.0, 1.0], np.float32),
        "f" * 32,
        {2.0: np.array([0.5, 0.9, 0.8], np.float32), 20.0: np.array([0.5, 0.6, 0.5], np.float32)},
    )


def test_each_fault_has_a_chance_of_its_own(probe):
    both = unit_rows(np.array([[0.0, 1.0, 1.0]]))
    chances, severities = probe.classify_batch(both)
    assert chances[0, 1] == pytest.approx(expit(8 / 2**0.5 - 4))
    assert chances[0, 1] == chances[0, 2] > 0.5
    assert chances[0].sum() > 1.5, "they do not compete"
    assert severities[0].tolist() == pytest.approx([0.0, expit(-1.0), expit(1.0)])


def test_the_verdict_is_the_most_severe_of_those_that_are_present(probe):
    rows = unit_rows(np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    verdicts = probe.verdicts(*probe.classify_batch(rows))
    assert [CLASSES[label] for label in verdicts.labels] == ["clicks", "hum", "clean"]
    assert verdicts.severities[2] == 0


def test_a_single_window_has_a_threshold_of_its_own(probe):
    chances = np.array([0.1, 0.7, 0.6])
    assert probe.present(chances).tolist() == [False, True, True], "0.5 where none was measured"
    strict = dataclasses.replace(probe, of_window=0.65)
    assert strict.present(chances).tolist() == [False, True, False]


def test_a_fault_beside_a_sure_one_needs_less_evidence(probe):
    mostly_clean = dataclasses.replace(probe, clean_weight=30.0)
    alone, beside = np.array([0.5, 0.05, 0.5]), np.array([0.001, 0.999, 0.5])
    assert probe.present(alone)[2]
    assert probe.present(beside)[2]
    assert mostly_clean.present(alone).tolist() == [False, False, False]
    assert mostly_clean.present(beside)[1]
    np.testing.assert_allclose(mostly_clean.weighed(alone)[2], 0.5 / (0.5 * 30 + 0.5))


def test_odds_of_clean_grow_by_their_weight(probe):
    chances = dataclasses.replace(probe, clean_weight=9.0).weighed(np.array([0.2, 0.8, 0.1]))
    np.testing.assert_allclose(chances[0] / (1 - chances[0]), 9 * 0.2 / 0.8)


@pytest.mark.parametrize("changes", [{"clean_weight": 0.0}, {"of_window": 1.0}, {"of_window": float("nan")}])
def test_a_weight_or_threshold_that_makes_no_sense_is_refused(probe, changes):
    with pytest.raises(ParameterError, match="must be above 0"):
        dataclasses.replace(probe, **changes)


def test_a_scan_allows_six_false_segments_an_hour(probe):
    np.testing.assert_array_equal(probe.enter(), probe.enter(6.0))


def test_present_follows_the_rate_of_alarms(probe):
    chances = np.array([0.1, 0.7, 0.7])
    assert probe.present(chances, 2).tolist() == [False, False, False]
    assert probe.present(chances, 20).tolist() == [False, True, True]


def test_thresholds_between_two_rates_lie_between_them(probe):
    middle = probe.enter(np.sqrt(2 * 20))
    np.testing.assert_allclose(logit(middle[1]), (logit(0.9) + logit(0.6)) / 2, rtol=1e-3)
    np.testing.assert_array_equal(probe.enter(0.001), probe.enter(2))
    np.testing.assert_array_equal(probe.enter(1e6), probe.enter(20))
    assert (probe.leave(2) < probe.enter(2)).all()


def test_rates_that_make_no_sense_are_refused(probe):
    with pytest.raises(ParameterError, match="above 0"):
        probe.enter(0)
    bare = dataclasses.replace(probe, thresholds={})
    assert bare.enter().tolist() == [0.5] * 3
    with pytest.raises(ParameterError, match="no thresholds"):
        bare.enter(6)


def test_a_saved_probe_is_the_same(tmp_path, probe):
    probe.save(tmp_path)
    loaded = load_any_probe(tmp_path, probe.fingerprint)
    assert isinstance(loaded, SetProbe)
    x = unit_rows(np.random.default_rng(0).standard_normal((5, 3)))
    np.testing.assert_array_equal(loaded.classify_batch(x)[0], probe.classify_batch(x)[0])
    np.testing.assert_array_equal(loaded.enter(5), probe.enter(5))
    assert (loaded.of_window, loaded.clean_weight) == (0.5, 1.0)
    dataclasses.replace(probe, of_window=0.25, clean_weight=30.0).save(tmp_path)
    assert (SetProbe.load(tmp_path).of_window, SetProbe.load(tmp_path).clean_weight) == (0.25, 30.0)
    with pytest.raises(FingerprintError):
        load_any_probe(tmp_path, "another")
    with pytest.raises(StorageError, match="not a bundle"):
        Probe.load(tmp_path)


def test_names_without_severities_come_last(tmp_path, probe):
    weights = np.concatenate([probe.weights, [[8.0, 0.0, 0.0]]]).astype(np.float32)
    more = dataclasses.replace(
        probe, classes=(*CLASSES, "squeal"), weights=weights, bias=np.full(4, -4.0, np.float32), thresholds={}
    )
    more.save(tmp_path)
    loaded = SetProbe.load(tmp_path)
    chances, severities = loaded.classify_batch(unit_rows(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])))
    assert np.isnan(severities[:, -1]).all()
    assert np.isfinite(severities[:, :-1]).all()
    verdicts = loaded.verdicts(chances, severities)
    assert [loaded.classes[label] for label in verdicts.labels] == ["hum", "squeal"], "a known severity comes first"
    assert np.isnan(verdicts.severities[1])
    assert loaded.predict(np.array([[0.7, 0.7, 0.0], [0.0, 0.1, 0.0]])).tolist() == ["hum, squeal", "clean"]


def test_a_damaged_record_is_refused(tmp_path, probe):
    probe.save(tmp_path)
    path = tmp_path / "probe.json"
    path.write_text(path.read_text().replace('"hum"', '"clean"'))
    with pytest.raises(StorageError, match="does not describe a probe"):
        SetProbe.load(tmp_path)


def test_arrays_of_other_sizes_are_refused(probe):
    with pytest.raises(ParameterError, match="do not fit"):
        dataclasses.replace(probe, bias=np.zeros(2, np.float32))
    with pytest.raises(ParameterError, match="do not fit"):
        dataclasses.replace(probe, severity_bias=np.zeros(2, np.float32))
    with pytest.raises(ParameterError, match="clean"):
        dataclasses.replace(probe, classes=("hum", "clean", "clicks"))
