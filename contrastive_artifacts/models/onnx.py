"""Export of a trained encoder as one ONNX file, from the waveform to h, z and probabilities."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..core import files
from ..core.errors import ParameterError
from .encoder import Encoder

OPSET = 20
OUTPUTS = ("h", "z", "types", "severities")


class _Graph(nn.Module):
    """The encoder with probabilities in place of type logits, and a tuple as output."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        encoded = self.encoder(waveform)
        return encoded.h, encoded.z, encoded.logits.softmax(1), encoded.severity


def to_onnx(encoder: Encoder, path: str | Path) -> None:
    """Writes the encoder atomically; the metadata of the file hold its labels, sample rate and fingerprint.

    Input ``waveform``: float32 ``[batch, T]``, mono, at the encoder's sample rate; any batch size; T as in training
    (``window_s``). Outputs: ``h [batch, D]`` and ``z [batch, E]`` as in :class:`~.heads.Encoded`, ``types [batch, K]``
    (probabilities of the type head) and ``severities [batch, K]``.

    The detail figures are computed from this input, at the encoder's rate (metadata ``detail_rate``). The package
    itself computes them before resampling, so its results differ for recordings at other sample rates.

    Raises:
        ParameterError: the packages onnx and onnxscript are not installed, or the path does not end in ``.onnx``.
    """
    window = round(encoder.settings.window_s * encoder.sample_rate)
    facts = {
        "labels": json.dumps(encoder.settings.states),
        "sample_rate": str(encoder.sample_rate),
        "detail_rate": str(encoder.sample_rate),
        "fingerprint": encoder.fingerprint(),
    }
    write_graph(_Graph(copy.deepcopy(encoder)), {"waveform": noise(2, window)}, OUTPUTS, facts, path)


def noise(*shape: int) -> Tensor:
    """The same random values of a standard deviation of 0.1 at each call, as an example of an input."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * 0.1


def write_graph(
    graph: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str], facts: Mapping[str, str], path: str | Path
) -> None:
    """Writes a module atomically as an ONNX file.

    Args:
        graph: Takes ``inputs`` by position, returns a tensor per name in ``outputs``; used in evaluation mode.
        inputs: Name -> an example, float32 ``[B, ...]`` with B >= 2; only the first dimension is dynamic.
        outputs: Names.
        facts: The metadata of the file.
        path: The file.

    Raises:
        ParameterError: as :func:`to_onnx`.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ParameterError(f"{path} does not end in .onnx; choose a name that does.")
    try:
        import onnx
        import onnxscript  # noqa: F401  (torch.onnx needs it)
    except ImportError as error:
        raise ParameterError(f"Export needs {error.name}: pip install 'contrastive-artifacts[onnx]'.") from error
    batch = torch.export.Dim("batch")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about the exporter's own code, and about inputs of one batch size
        program = torch.onnx.export(
            graph.eval(), tuple(inputs.values()), dynamo=True, verbose=False, opset_version=OPSET,
            input_names=list(inputs), output_names=list(outputs), dynamic_shapes=tuple({0: batch} for _ in inputs),
        )  # fmt: skip
    assert program is not None  # torch returns None only for the old exporter
    model = program.model_proto
    onnx.helper.set_model_props(model, dict(facts))
    with files.atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
