"""The TFLite converter on a small file of the published structure, written here with random int8 weights."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones

tflite = pytest.importorskip("tflite")
flatbuffers = pytest.importorskip("flatbuffers")

WIDTHS = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
CONV, DEPTHWISE, DENSE = 3, 4, 9  # BuiltinOperator
OPTIONS = {CONV: "Conv2DOptions", DEPTHWISE: "DepthwiseConv2DOptions", DENSE: "FullyConnectedOptions"}
Layer = tuple[int, int, np.ndarray, np.ndarray, np.ndarray]  # layer, operator, int8 weights, scales, int32 bias


def _layers() -> list[Layer]:
    rng = np.random.default_rng(6)

    def layer(number: int, operator: int, shape: tuple[int, ...]) -> Layer:
        channels = shape[3] if operator == DEPTHWISE else shape[0]
        scales = rng.uniform(1e-3, 1e-2, 1 if operator == DENSE else channels)
        weights = rng.integers(-127, 128, shape, dtype=np.int8)
        return number, operator, weights, scales.astype(np.float32), rng.integers(-999, 999, channels, dtype=np.int32)

    layers = [layer(1, CONV, (32, 3, 3, 1))]
    for block, (inputs, outputs) in enumerate(pairwise(WIDTHS), start=1):
        layers.append(layer(2 * block, DEPTHWISE, (1, 3, 3, inputs)))
        layers.append(layer(2 * block + 1, CONV, (outputs, 1, 1, inputs)))
    return [*layers, layer(29, DENSE, (521, 1024))]


def _write(path: Path, layers: list[Layer], activation: int = 3) -> Path:
    """A TFLite file with these layers only; activation 3 is RELU6."""
    builder = flatbuffers.Builder(1 << 22)
    buffers, tensors, operators = [], [], []

    def vector(offsets: list[int]) -> int:
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    def tensor(name: str, values: np.ndarray, scales: np.ndarray, axis: int) -> int:
        data = builder.CreateNumpyVector(values.reshape(-1).view(np.uint8))
        tflite.BufferStart(builder)
        tflite.BufferAddData(builder, data)
        buffers.append(tflite.BufferEnd(builder))
        scale = builder.CreateNumpyVector(scales.astype(np.float32))
        zero = builder.CreateNumpyVector(np.zeros(len(scales), np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero)
        tflite.QuantizationParametersAddQuantizedDimension(builder, axis)
        quantisation = tflite.QuantizationParametersEnd(builder)
        label, shape = builder.CreateString(name), builder.CreateNumpyVector(np.array(values.shape, np.int32))
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, label)
        tflite.TensorAddShape(builder, shape)
        tflite.TensorAddType(builder, tflite.TensorType.INT8 if values.dtype == np.int8 else tflite.TensorType.INT32)
        tflite.TensorAddBuffer(builder, len(buffers) - 1)
        tflite.TensorAddQuantization(builder, quantisation)
        tensors.append(tflite.TensorEnd(builder))
        return len(tensors) - 1

    for number, operator, weights, scales, bias in layers:
        kind = {CONV: "conv/Conv2D", DEPTHWISE: "sepconv/depthwise", DENSE: "fc/MatMul"}[operator]
        name = f"tower0/network/layer{number}/{kind}"
        inputs = [0, tensor(name, weights, scales, 3 if operator == DEPTHWISE else 0), 0]
        inputs[2] = tensor(name + "/bias", bias, scales * 0.5, 0)  # the input's scale times the weights'
        options_type = {CONV: "Conv2DOptions", DEPTHWISE: "DepthwiseConv2DOptions", DENSE: "FullyConnectedOptions"}[
            operator
        ]
        getattr(tflite, options_type + "Start")(builder)
        getattr(tflite, options_type + "AddFusedActivationFunction")(builder, 0 if operator == DENSE else activation)
        options = getattr(tflite, options_type + "End")(builder)
        indices = builder.CreateNumpyVector(np.array(inputs, np.int32))
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, (CONV, DEPTHWISE, DENSE).index(operator))
        tflite.OperatorAddInputs(builder, indices)
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, options_type))
        tflite.OperatorAddBuiltinOptions(builder, options)
        operators.append(tflite.OperatorEnd(builder))
    codes = []
    for code in (CONV, DEPTHWISE, DENSE):
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
        codes.append(tflite.OperatorCodeEnd(builder))
    parts = [vector(tensors), vector(operators)]
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, parts[0])
    tflite.SubGraphAddOperators(builder, parts[1])
    graph = tflite.SubGraphEnd(builder)
    parts = [vector(codes), vector([graph]), vector(buffers)]
    tflite.ModelStart(builder)
    tflite.ModelAddOperatorCodes(builder, parts[0])
    tflite.ModelAddSubgraphs(builder, parts[1])
    tflite.ModelAddBuffers(builder, parts[2])
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path


def test_int8_weights_land_where_they_belong(tmp_path: Path) -> None:
    layers = _layers()
    tagger = backbones.create_tagger("yamnet", _write(tmp_path / "y.tflite", layers))
    assert tagger.backbone.record["options"] == {"norm": "folded", "activation": "relu6"}
    units = [m for m in tagger.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(units) == 27
    for conv, (_, operator, weights, scales, bias) in zip(units, layers, strict=False):
        channel = weights.shape[3] // 2 if operator == DEPTHWISE else weights.shape[0] // 2
        kernel = weights[0, :, :, channel, None] if operator == DEPTHWISE else weights[channel]  # [H, W, inputs]
        expected = torch.from_numpy(kernel.transpose(2, 0, 1).astype(np.float32) * scales[channel])
        torch.testing.assert_close(conv.weight[channel].detach(), expected)
        assert float(conv.bias.detach()[channel]) == pytest.approx(bias[channel] * scales[channel] * 0.5, rel=1e-6)
    *_, weights, scales, _ = layers[-1]
    torch.testing.assert_close(tagger.head.weight.detach(), torch.from_numpy(weights.astype(np.float32) * scales[0]))


def test_other_graphs_are_refused(tmp_path: Path) -> None:
    layers = _layers()
    with pytest.raises(WeightsError, match=r"missing: blocks\.2\.1\.conv\.weight"):
        backbones.create("yamnet", _write(tmp_path / "missing.tflite", [k for k in layers if k[0] != 5]))
    with pytest.raises(WeightsError, match="twice"):
        backbones.create("yamnet", _write(tmp_path / "twice.tflite", [*layers, layers[3]]))
    with pytest.raises(WeightsError, match="no ReLU6"):
        backbones.create("yamnet", _write(tmp_path / "relu.tflite", layers, activation=1))


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "whole.tflite", _layers())
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(path.read_bytes()[:2_000_000])
    with pytest.raises(WeightsError, match=r"cut\.tflite"):
        backbones.create("yamnet", cut)
