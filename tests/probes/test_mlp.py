from __future__ import annotations

import numpy as np
import torch

from contrastive_artifacts.probes import Embedded, LinearProbe, MLPProbe, accuracy


def test_learns_what_a_linear_probe_cannot() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1500, 8))
    labels = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")  # exclusive or
    sources = np.arange(1500) // 6
    seen = sources < 170
    mlp = MLPProbe.fit(x[seen], labels[seen], sources[seen])
    line = LinearProbe.fit(x[seen], labels[seen], sources[seen])
    assert accuracy(labels[~seen], mlp.predict(x[~seen])) > 0.8
    assert accuracy(labels[~seen], line.predict(x[~seen])) < 0.65
    np.testing.assert_allclose(mlp.predict_proba(x).sum(axis=1), 1.0, rtol=1e-12)


def test_seed_alone_decides_and_the_global_state_is_left(train: Embedded, test: Embedded) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = MLPProbe.fit(train.x, train.artifact, train.source, seed=1)
    assert torch.equal(torch.rand(3), expected)
    mixed = train.take(np.random.default_rng(0).permutation(len(train)))
    two = MLPProbe.fit(mixed.x, mixed.artifact, mixed.source, seed=1)
    np.testing.assert_array_equal(one.predict_proba(test.x), two.predict_proba(test.x))
    other = MLPProbe.fit(train.x, train.artifact, train.source, seed=2)
    assert not np.array_equal(one.predict_proba(test.x), other.predict_proba(test.x))
    assert accuracy(test.artifact, one.predict(test.x)) > 0.75
