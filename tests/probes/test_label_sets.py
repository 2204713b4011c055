"""Labels as texts: equal sets are equal texts, and every name of a set is a column of a matrix."""

from __future__ import annotations

import numpy as np

from contrastive_artifacts.probes.label_sets import joined, labels_of, membership, names_of


def test_equal_sets_are_equal_texts():
    assert joined(["hum", "hiss"]) == joined(["hiss", "hum", "hum"]) == "hiss, hum"
    assert joined(names_of("hum, hiss")) == "hiss, hum"
    assert joined(["clean"]) == joined([]) == "clean"


def test_rows_of_a_matrix_are_labels_and_back():
    names = ("hum", "hiss")
    there = np.array([[True, True], [False, False], [False, True]])
    labels = labels_of(names, there)
    assert labels == ["hiss, hum", "clean", "hiss"]
    assert np.array_equal(membership(labels, names), there)
    assert membership(labels, ("clean",))[:, 0].tolist() == [False, True, False]
    assert membership([], names).shape == (0, 2)
