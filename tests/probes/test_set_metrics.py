"""Figures of label sets on views whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.probes import macro_f1
from contrastive_artifacts.probes.set_metrics import calibration_error, fault_figures, macro_f1_of_sets, pair_figures

NAMES = ("hum", "clicks")


def test_a_fault_that_is_always_higher_has_an_area_of_one():
    scores = np.array([[0.1, 0.5], [0.2, 0.5], [0.9, 0.5], [0.8, 0.5]])
    there = np.array([[False, False], [False, False], [True, False], [True, False]])
    figures = fault_figures(NAMES, scores, there)
    assert figures["hum"].area == 1.0
    assert figures["hum"].recall == 1.0
    assert figures["hum"].views == 2
    assert "clicks" not in figures, "no view holds it"


def test_chance_is_one_half_with_ties():
    scores = np.full((6, 1), 0.3)
    there = np.array([[False]] * 3 + [[True]] * 3)
    figures = fault_figures(("hum",), scores, there)
    assert figures["hum"].area == 0.5
    assert figures["hum"].recall == 0.0


def test_recall_is_at_one_false_positive_in_twenty():
    scores = np.concatenate([np.linspace(0, 1, 101), [0.94, 0.96]])[:, None]
    there = np.repeat([False, True], [101, 2])[:, None]
    figures = fault_figures(("hum",), scores, there)
    assert figures["hum"].threshold == pytest.approx(0.95)
    assert figures["hum"].recall == 0.5


def test_views_with_several_faults_and_unknown_sources_are_left_out():
    scores = np.array([[0.1, 0.1], [0.9, 0.1], [0.0, 0.0], [0.0, 0.9], [1.0, 1.0]])
    there = np.array([[False, False], [True, False], [True, True], [False, True], [False, False]])
    unknown = np.zeros((5, 2), bool)
    unknown[4] = True
    figures = fault_figures(NAMES, scores, there, unknown)
    assert figures["hum"].area == figures["clicks"].area == 1.0
    assert fault_figures(NAMES, scores, there)["hum"].area == 0.5


def test_calibration_is_the_gap_between_chance_and_frequency():
    there = np.repeat([True, False], [3, 7])
    assert calibration_error(np.full(10, 0.3), there) == pytest.approx(0.0)
    assert calibration_error(np.full(10, 0.5), there) == pytest.approx(0.2)
    assert calibration_error(there.astype(float), there) == 0.0


def test_pairs_count_only_where_both_were_found():
    there = np.array([[True, True, False], [True, True, False], [True, False, False]])
    present = np.array([[True, True, True], [True, False, False], [True, False, False]])
    figures = pair_figures(present, there, np.array(["a", "b", "c"]))
    assert figures.views == 2
    assert figures.both.value == 0.5
    assert figures.others == 0.5


def test_macro_f1_counts_every_name_by_itself():
    truth, predicted = ["hiss, hum", "clean", "hum", "clean"], ["hum", "clean", "hum", "echo"]
    expected = {"hum": 1.0, "hiss": 0.0, "echo": 0.0, "clean": 2 / 3}
    assert macro_f1_of_sets(truth, predicted) == pytest.approx(np.mean(list(expected.values())))


def test_macro_f1_of_one_name_each_is_that_of_a_classifier():
    rng = np.random.default_rng(0)
    truth, predicted = (rng.choice(["clean", "hum", "hiss"], 50).tolist() for _ in range(2))
    assert macro_f1_of_sets(truth, predicted) == pytest.approx(macro_f1(truth, predicted))
