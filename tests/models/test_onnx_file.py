"""A trained encoder computes the same through ONNX Runtime, at any batch size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.embedding.opening import RELEASE
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.models.onnx import to_onnx

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'contrastive-artifacts[onnx]'")
pytest.importorskip("onnxscript", reason="pip install 'contrastive-artifacts[onnx]'")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mn04", "yamnet"])
def test_parity_at_any_batch(name: str, tmp_path: Path) -> None:
    encoder = Encoder.load(RELEASE / name)
    to_onnx(encoder, tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx", providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["labels"]) == list(encoder.settings.states)
    assert facts["fingerprint"] == encoder.fingerprint()
    assert int(facts["sample_rate"]) == encoder.sample_rate
    assert int(facts["detail_rate"]) == encoder.sample_rate
    window = round(encoder.settings.window_s * encoder.sample_rate)
    for batch in (1, 4):
        waveform = 0.1 * torch.randn(batch, window, generator=torch.Generator().manual_seed(batch))
        waveform[:, 2000:4000] = 0  # detail figures of digital silence
        with torch.no_grad():
            encoded = encoder(waveform)
        expected = (encoded.h, encoded.z, encoded.logits.softmax(1), encoded.severity)
        outputs = session.run(["h", "z", "types", "severities"], {"waveform": waveform.numpy()})
        for output, reference in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(output, reference.numpy(), atol=3e-5)


def test_the_name_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\.onnx"):
        to_onnx(Encoder.load(RELEASE / "mn04"), tmp_path / "encoder.pt")
