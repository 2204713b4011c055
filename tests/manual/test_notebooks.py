"""The notebooks run from the first to the last cell, without a network, and give figures above chance."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contrastive_artifacts.models import backbones

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: pip install 'contrastive-artifacts[dev]'")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install 'contrastive-artifacts[dev]'")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))}
SMALL = {"SOURCES": 6, "SECONDS": 1.5}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's libraries
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path / "no weights"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody answers there: no download
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    small(notebook.cells)
    client = nbclient.NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    texts = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("macro-F1" in text or "P@5" in text for text in texts)
    if name == "transfer_learning":
        assert any("No published YAMNet here" in text for text in texts), "there is no cache and no network"
        assert any("release/yamnet, its network, frozen macro-F1" in text for text in texts)


def test_the_notebook_takes_published_weights_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = nbformat.read(NOTEBOOKS["transfer_learning"], as_version=4).cells
    (cell,) = (cell for cell in cells if 'if WEIGHTS == "auto"' in cell.source)
    asked: list[tuple[str, object]] = []
    monkeypatch.setattr(backbones, "create", lambda name, weights: asked.append((name, weights)))
    monkeypatch.setattr(backbones.hub, "locate", lambda checkpoint: tmp_path / checkpoint.sources[0].filename)
    for weights in ("auto", "/somewhere"):
        exec(compile(cell.source, "cell", "exec"), {"WEIGHTS": weights})
        assert capsys.readouterr().out == "features: published YAMNet, frozen\n"
    published = "lite-model_yamnet_classification_tflite_1.tflite"
    assert asked == [("yamnet", tmp_path / published), ("yamnet", "/somewhere")]


def small(cells: list) -> None:
    """Sets the settings of the first code cell that decide how long it takes."""
    settings = next(cell for cell in cells if cell.cell_type == "code")
    settings.source += "".join(
        f"\n{name} = {value}" for name, value in SMALL.items() if f"{name} = " in settings.source
    )


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_stored_without_output(name: str) -> None:
    cells = nbformat.read(NOTEBOOKS[name], as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
