"""Small indexes whose rows say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.search.index import Index


def rows_of(count: int, seed: int = 0, dim: int = 8) -> tuple[np.ndarray, list[dict]]:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return vectors, [{"name": f"{seed}/{i}", "take": i % 4} for i in range(count)]


@pytest.fixture
def flat(tmp_path: Path) -> Index:
    return Index.build(*rows_of(40), tmp_path / "index", fingerprint="f1")


@pytest.fixture(params=["flat", "ivf_sq8", "ivf_pq"])
def any_kind(request: pytest.FixtureRequest, tmp_path: Path) -> Index:
    return Index.build(*rows_of(300), tmp_path / "index", fingerprint="f1", kind=request.param)
