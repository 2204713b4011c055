"""Small sounds and a small corpus that every test may use; no test reads data that it did not make."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import torch

from contrastive_artifacts import corpora
from contrastive_artifacts.corpora import Corpus

matplotlib.use("Agg")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_corpus() -> Corpus:
    """Twelve built-in sources of one second at 16 kHz."""
    return corpora.create("builtin", seed=3, sources=12, duration_s=1.0, sample_rate=16000)


@pytest.fixture
def tone() -> np.ndarray:
    """One second of a 1 kHz sine at 44.1 kHz, amplitude 0.3: float32 [1, 44100]."""
    return (0.3 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)).astype(np.float32)[None]
