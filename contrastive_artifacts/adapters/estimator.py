"""The probes as an estimator of scikit-learn: in pipelines, grid searches and cross-validation by source.

cross_val_score(ProbeClassifier(), vectors, artifacts, groups=sources, cv=GroupKFold())
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..core.errors import ParameterError, SplitError
from ..probes import LinearProbe, MLPProbe

KINDS: dict[str, Any] = {LinearProbe.kind: LinearProbe, MLPProbe.kind: MLPProbe}


class ProbeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A calibrated probe; strength and temperature are chosen by cross-validation that divides no source.

    Args:
        kind: "linear" (logistic regression) or "mlp" (one hidden layer).

    Attributes:
        classes_: [K], sorted.
        probe_: The :class:`.LinearProbe` or :class:`.MLPProbe`, for :func:`.save_probe`; its classes are texts.
        n_features_in_: D.
    """

    def __init__(self, kind: str = "linear") -> None:
        self.kind = kind

    def fit(self, X: Any, y: Any, groups: Any = None) -> ProbeClassifier:
        """Fits on vectors [N, D] and classes [N].

        Args:
            X, y: The rows.
            groups: [N] sources; by default each row is a source of its own, which is too kind where one recording
                gives many rows.

        Raises:
            ParameterError: an unknown kind, unfit shapes or values, a single class, or a single source.
        """
        if self.kind not in KINDS:
            raise ParameterError(f"kind is {self.kind!r}; give one of {', '.join(KINDS)}.")
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, code = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError(f"y holds {len(self.classes_)} class; a classifier needs two or more.")
        sources = np.arange(len(X)) if groups is None else groups
        names = np.char.zfill(code.astype(str), len(str(len(self.classes_))))  # a probe sorts its classes as texts
        try:
            probe = KINDS[self.kind].fit(X, names, sources)
        except SplitError as error:
            raise ParameterError(f"{len(X)} sample(s) from one source: {error}") from error
        self.probe_ = replace(probe, classes=tuple(map(str, self.classes_)))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities [N, K] in the order of ``classes_``."""
        check_is_fitted(self)
        return self.probe_.predict_proba(validate_data(self, X, dtype=np.float32, reset=False))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, [N]."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
