"""What is imported when: the package, the help and rendering start fast because they load little."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import contrastive_artifacts as ca
from contrastive_artifacts import cli

LEARNING = {"torch", "torchaudio", "transformers", "pytorch_metric_learning", "faiss", "sklearn", "umap"}
DRAWING = {"matplotlib", "tensorboard"}
SOUND = {"numpy", "scipy", "av", "soundfile", "soxr", "pyarrow"}
CONFIGURATION = {"hydra", "omegaconf"}

HELP = """
import contextlib, io
from contrastive_artifacts import cli
sys.argv = ["contrastive-artifacts", *VERB, "--help"]
with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
    cli.main()
assert "usage: contrastive-artifacts " + " ".join(VERB) in text.getvalue()
"""
RENDER = """
import numpy as np
import contrastive_artifacts as ca
noise = np.random.default_rng(0).standard_normal((2, 16000)).astype(np.float32)
for name in NAMES:
    ca.replay(noise, 16000, ca.render(name, noise, 16000, severity=0.5, seed=1).params)
"""


def modules(code: str, **names: object) -> set[str]:
    """Dotted names of the modules that a new interpreter has imported when it has run ``code``."""
    values = "\n".join(f"{name} = {value!r}" for name, value in names.items())
    program = f"import sys\n{values}\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


def test_the_package_imports_nothing_heavy() -> None:
    imported = modules("import contrastive_artifacts")
    assert imported & {*LEARNING, *DRAWING, *SOUND, *CONFIGURATION, "rich", "yaml"} == set()


@pytest.mark.parametrize("verb", ["", *cli.verbs()])
def test_help_imports_nothing_heavy(verb: str) -> None:
    imported = modules(HELP, VERB=[verb] if verb else [])
    assert imported & {*LEARNING, *DRAWING, *SOUND, *CONFIGURATION, "rich"} == set()


def test_rendering_needs_no_network_and_no_index() -> None:
    names = [name for name in ca.artifacts() if ca.artifact(name).fits(2)]
    imported = modules(RENDER, NAMES=names)
    assert "numpy" in imported
    assert imported & {*LEARNING, *DRAWING, *CONFIGURATION, "pyarrow"} == set()


def test_an_artifact_without_filters_leaves_scipy_signal_alone() -> None:
    imported = modules(RENDER, NAMES=["hum", "clipping", "dropout"])
    assert imported & {"scipy.signal", "scipy.ndimage", "scipy.stats", "scipy.optimize"} == set()


def test_an_encoder_is_loaded_without_an_index_or_a_plot() -> None:
    imported = modules("import contrastive_artifacts as ca\nca.load('release')")
    assert "torch" in imported
    assert imported & {"faiss", "hydra", *DRAWING} == set()


def test_public_names_are_there_before_they_are_imported() -> None:
    imported = modules(
        "import contrastive_artifacts as ca\nassert {'load', 'scan', 'render', 'artifacts'} <= {*dir(ca)}"
    )
    assert "contrastive_artifacts.embedding" not in imported
