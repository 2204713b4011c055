"""A verb imports what it needs: importing PyTorch takes two seconds, scikit-learn one, in each process again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAINING = {"sklearn", "pytorch_metric_learning", "tensorboard", "matplotlib"}
NETWORKS = {"torch", "torchaudio", "transformers", "faiss", "scipy.signal", "scipy.stats"}


@pytest.mark.parametrize(
    ("verb", "unneeded"),
    [
        ("scan", TRAINING | NETWORKS),  # the process that reads the file needs them, the one that starts it does not
        ("render", TRAINING | NETWORKS),
        ("curate", TRAINING | NETWORKS),
        ("embed", TRAINING | {"scipy.stats"}),
        ("retrieve", TRAINING | {"scipy.stats"}),
        ("explore", TRAINING | {"scipy.stats"}),
    ],
)
def test_what_a_verb_does_not_need_is_not_imported(verb: str, unneeded: set[str]) -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='imported'); print(*sys.modules)"
    words = [sys.executable, "-c", code, str(ROOT / "scripts" / f"{verb}.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    imported = set(done.stdout.split())
    assert "contrastive_artifacts" in imported
    assert not imported & unneeded
