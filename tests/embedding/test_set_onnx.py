"""Through ONNX Runtime an encoder of label sets gives the vectors, chances, severities and cells of ``classify``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.data import corpora
from contrastive_artifacts.embedding import open_embedder, sets_to_onnx
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.models.figures import VERSIONS, batched
from contrastive_artifacts.probes import SetProbe

onnx = pytest.importorskip("onnx", reason="pip install 'contrastive-artifacts[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'contrastive-artifacts[onnx]'")
pytest.importorskip("onnxscript", reason="pip install 'contrastive-artifacts[onnx]'")
STATES, RATE, TOLERANCE = ("clean", "hum", "hiss"), 22050, 1e-4


def small(folder: Path) -> Path:
    """An encoder without backbone and a probe of random weights."""
    torch.manual_seed(0)
    settings = FigureSettings(STATES, window_s=1.6, figures=16, channels=8, hidden=16, embedding=8)
    encoder = FigureEncoder(settings).eval()
    encoder.save(folder)
    rng = np.random.default_rng(0)
    matrices = [rng.standard_normal((3, 24)).astype(np.float32) for _ in range(2)]
    rows = [rng.standard_normal(3).astype(np.float32) for _ in range(2)]
    arrays = (matrices[0], rows[0], matrices[1], rows[1])
    SetProbe(STATES, *arrays, encoder.fingerprint(), clean_weight=3.0, of_window=0.4).save(folder)
    return folder


def windows(seconds: float, rate: int) -> list[np.ndarray]:
    """Two sounds of the built-in corpus, one of them damaged, and windows that have no content to measure."""
    length = round(seconds * rate)
    corpus = corpora.create("builtin", sources=2, duration_s=seconds, sample_rate=rate)
    plain, other = (corpus.load(clip)[0] for clip in corpus.clips)
    ramp = np.arange(length) / rate
    sounds = [
        plain[0], ca.render("hum", other, rate, severity=1.0, seed=0).waveform[0], np.zeros(length),
        np.full(length, 0.5), np.eye(1, length, length // 3)[0], np.sign(np.sin(2 * np.pi * 50 * ramp)),
        1e-7 * np.random.default_rng(0).standard_normal(length),
    ]  # fmt: skip
    return [np.asarray(sound, np.float32) for sound in sounds]


def session(path: Path) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def assert_as_classified(path: Path, name: str | Path, sounds: list[np.ndarray], rate: int) -> np.ndarray:
    """Outputs of the file at ``path`` against those of the encoder ``name``, batched and alone; what is present."""
    network, encoder, embedder = session(path), ca.load(name), open_embedder(name)
    prepared = [embedder.prepare(sound, rate) for sound in sounds]
    inputs = {node.name for node in network.get_inputs()}
    figures = {key: part.numpy() for key, part in batched(prepared)._asdict().items() if key in inputs}
    chances, severities, cells = encoder.classify_cells(sounds, rate)
    h, present = unit_rows(embedder.vectors(prepared)), encoder.probe.present(chances)
    together = dict(zip([node.name for node in network.get_outputs()], network.run(None, figures), strict=True))
    assert list(together) == ["h", "chances", "present", "severities", "cells"]
    for output, reference in zip(together.values(), (h, chances, present, severities, cells), strict=True):
        np.testing.assert_allclose(output, reference, atol=TOLERANCE)
    for row in range(len(sounds)):
        alone = network.run(None, {key: part[row : row + 1] for key, part in figures.items()})
        for output, batch in zip(alone, together.values(), strict=True):
            np.testing.assert_allclose(output[0], batch[row], atol=TOLERANCE)
    return present


def test_a_small_encoder_without_backbone(tmp_path: Path) -> None:
    name = small(tmp_path / "encoder")
    paths = sets_to_onnx(name, tmp_path / "out")
    assert [path.name for path in paths] == ["encoder.onnx"]
    assert_as_classified(paths[0], name, windows(1.6, RATE), RATE)
    facts = session(paths[0]).get_modelmeta().custom_metadata_map
    assert json.loads(facts["labels"]) == list(STATES)
    assert (float(facts["clean_weight"]), float(facts["of_window"])) == (3.0, 0.4)
    assert json.loads(facts["figures"]) == dict(VERSIONS)
    assert (facts["window_s"], facts["context_s"]) == ("1.6", "10.0")
    assert float(facts["cell_s"]) == pytest.approx(0.032)
    assert facts["fingerprint"] == ca.load(name).fingerprint


@pytest.mark.slow
def test_the_release_and_its_backbone(tmp_path: Path) -> None:
    network, backbone = sets_to_onnx("release/all", tmp_path)
    sounds = windows(5.0, 44100)
    present = assert_as_classified(network, "release/all", sounds, 44100)
    assert ca.load("release/all").labels[2] == "hum"
    assert present[1, 2], "the window that hum was rendered into"
    assert not present.all()
    assert_as_classified(network, "release/all", [windows(5.0, 8000)[0]], 8000)
    pooled = session(backbone)
    rate = int(pooled.get_modelmeta().custom_metadata_map["sample_rate"])
    embedder = open_embedder("release/all")
    expected = np.stack([embedder.prepare(sound, 44100).backbone for sound in sounds])
    waveforms = np.stack([audio.resample(sound, 44100, rate) for sound in sounds])
    (output,) = pooled.run(["backbone"], {"waveform": waveforms})
    np.testing.assert_allclose(output, expected, atol=TOLERANCE)


def test_other_encoders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="one label"):
        sets_to_onnx("release/mn04", tmp_path)
    folder = small(tmp_path / "encoder")
    (folder / "probe.json").unlink()
    with pytest.raises(StorageError):
        sets_to_onnx(folder, tmp_path)
    assert not list(tmp_path.glob("*.onnx"))
