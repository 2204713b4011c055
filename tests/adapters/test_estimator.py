"""Probes as scikit-learn estimators: its own checks, the same fit as the probe, folds by source."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from contrastive_artifacts.adapters.estimator import ProbeClassifier
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import LinearProbe, load_probe, save_probe

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Three separable classes, twelve sources."""
    rng = np.random.default_rng(1)
    labels = rng.choice(["hum", "clean", "hiss"], 120)
    centres = {"hum": 0, "clean": 1, "hiss": 2}
    x = np.eye(8)[[centres[name] for name in labels]] * 3 + rng.normal(size=(120, 8))
    return x.astype(np.float32), labels, np.arange(120) % 12


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_the_checks_of_scikit_learn(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its checks warn on purpose
        results = check_estimator(ProbeClassifier(kind), on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 40


def test_it_is_the_probe(rows: Rows, tmp_path: Path) -> None:
    x, labels, sources = rows
    classifier = ProbeClassifier().fit(x, labels, groups=sources)
    probe = LinearProbe.fit(x, labels, sources)
    np.testing.assert_allclose(classifier.predict_proba(x), probe.predict_proba(x), rtol=1e-6)
    assert list(classifier.classes_) == list(probe.classes) == ["clean", "hiss", "hum"]
    save_probe(classifier.probe_, tmp_path, "encoder")
    np.testing.assert_array_equal(load_probe(tmp_path).predict(x), classifier.predict(x))


def test_classes_stay_what_they_are(rows: Rows) -> None:
    x, labels, _ = rows
    numbers = np.array([{"hum": 10, "clean": 2, "hiss": -1}[name] for name in labels])
    classifier = clone(ProbeClassifier()).fit(x, numbers)
    assert list(classifier.classes_) == [-1, 2, 10]
    assert classifier.predict(x).dtype == numbers.dtype
    assert classifier.score(x, numbers) > 0.9


def test_in_a_pipeline_and_in_cross_validation_by_source(rows: Rows) -> None:
    x, labels, sources = rows
    scores = cross_val_score(
        make_pipeline(StandardScaler(), ProbeClassifier()), x, labels, groups=sources, cv=GroupKFold(3)
    )
    assert scores.mean() > 0.85


def test_what_cannot_be_fitted_is_refused(rows: Rows) -> None:
    x, labels, _ = rows
    with pytest.raises(ParameterError, match="linear, mlp"):
        ProbeClassifier("forest").fit(x, labels)
    with pytest.raises(ParameterError, match="one source"):
        ProbeClassifier().fit(x, labels, groups=np.zeros(len(x)))
    with pytest.raises(ParameterError, match="1 class"):
        ProbeClassifier().fit(x, np.full(len(x), "hum"))
