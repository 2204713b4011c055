"""Published files of YAMNet -> tensors under the names of this package.

``yamnet.h5`` (Keras; float, batch norm without scale) and the TFLite file of Google (int8 weights per channel, batch
norm folded into the biases, ReLU6). They come from similar trainings and have different weights.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.errors import WeightsError
from .layers import fold_batch_norm
from .spec import State, Weights

BATCH_NORM_EPS = 1e-4
_H5_PARTS = {"beta": "norm.bias", "moving_mean": "norm.running_mean", "moving_variance": "norm.running_var"}
_H5_KEY = re.compile(r"layer(\d+)/(conv|depthwise_conv|pointwise_conv)(/bn)?/(\w+):0")
_TFLITE_LAYER = re.compile(r"tower0/network/layer(\d+)/(conv|sepconv|fc)\b")
_HEAD = ("weight", "bias")
_TFLITE_LAYERS = 27  # convolutions, depthwise and pointwise ones counted separately; the classifier is layer 29


def convert_h5(path: Path) -> Weights:
    """Reads ``yamnet.h5`` with its batch norms folded.

    Raises:
        WeightsError: h5py is not installed, or the file is not HDF5. Unknown keys keep their names, so that strict
            loading reports them.
    """
    state = rename_h5(_read_h5(path))
    head: State = {k: state.pop(k) for k in _HEAD if k in state}
    return Weights(fold_batch_norm(state, BATCH_NORM_EPS), head)


def rename_h5(arrays: dict[str, np.ndarray]) -> State:
    """Keras names and layouts -> those of this package, batch norms not folded; the classifier: "weight", "bias"."""
    state: State = {}
    for key, array in arrays.items():
        # Keras repeats the name of the layer: "layer2/depthwise_conv/layer2/depthwise_conv/depthwise_kernel:0".
        half = key.rsplit("/", 1)[0]
        name = key[len(half) // 2 + 1 :]
        match = _H5_KEY.fullmatch(name)
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if name == "logits/kernel:0":
            state["weight"] = tensor.T.contiguous()
        elif name == "logits/bias:0":
            state["bias"] = tensor
        elif match is None:
            state[key] = tensor
        else:
            layer, kind, norm, part = match.groups()
            unit = _unit(int(layer), kind)
            if norm and part in _H5_PARTS:
                state[f"{unit}.{_H5_PARTS[part]}"] = tensor
                if part == "beta":  # the published batch norms have no gamma
                    state[f"{unit}.norm.weight"] = torch.ones_like(tensor)
            elif not norm and part == "depthwise_kernel" and tensor.ndim == 4:
                state[f"{unit}.conv.weight"] = tensor.permute(2, 3, 0, 1).contiguous()  # H, W, channel, 1
            elif not norm and part == "kernel" and tensor.ndim == 4:
                state[f"{unit}.conv.weight"] = tensor.permute(3, 2, 0, 1).contiguous()  # H, W, in, out
            else:
                state[key] = tensor
    return state


def convert_tflite(path: Path) -> Weights:
    """Reads ``lite-model_yamnet_classification_tflite_1.tflite``, its int8 weights as floats.

    Raises:
        WeightsError: the ``tflite`` package is not installed, or the file is not this network.
    """
    model = _read_tflite(path)
    try:
        return _from_graph(model)
    except WeightsError:
        raise
    except Exception as error:  # with a damaged offset, flatbuffers raises errors of many kinds
        raise WeightsError(f"{path} is damaged ({type(error).__name__}: {error}); download it again.") from error


def _from_graph(model: Any) -> Weights:
    import tflite

    graph = model.Subgraphs(0)
    backbone: State = {}
    head: State = {}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind not in _LAYOUTS:
            continue
        _, weight, bias = (graph.Tensors(i) for i in operator.InputsAsNumpy())
        layer = _TFLITE_LAYER.match(weight.Name().decode())
        if layer is None:  # the mel filters of the front-end
            continue
        tensor = torch.from_numpy(_dequantised(model, weight)).permute(_LAYOUTS[kind]).contiguous()
        unit = _tflite_unit(int(layer[1]))
        part = head if unit == "" else backbone
        if unit + "weight" in part:
            raise WeightsError(f"Layer {layer[1]} occurs twice in the TFLite graph; this is not the published YAMNet.")
        part[unit + "weight"] = tensor
        part[unit + "bias"] = torch.from_numpy(_dequantised(model, bias))
        options = operator.BuiltinOptions()
        if unit and _activation(kind, options) != tflite.ActivationFunctionType.RELU6:
            raise WeightsError(f"Layer {layer[1]} of the TFLite graph has no ReLU6; this is not the published YAMNet.")
    return Weights(backbone, head)


_CONV_2D, _DEPTHWISE_CONV_2D, _FULLY_CONNECTED = 3, 4, 9  # tflite.BuiltinOperator
_LAYOUTS = {_CONV_2D: (0, 3, 1, 2), _DEPTHWISE_CONV_2D: (3, 0, 1, 2), _FULLY_CONNECTED: (0, 1)}


def _activation(kind: int, table: Any) -> int:
    import tflite

    options = tflite.Conv2DOptions() if kind == _CONV_2D else tflite.DepthwiseConv2DOptions()
    options.Init(table.Bytes, table.Pos)
    return int(options.FusedActivationFunction())


def _dequantised(model: Any, tensor: Any) -> np.ndarray:
    import tflite

    types = {tflite.TensorType.INT8: np.int8, tflite.TensorType.INT32: np.int32}
    shape = tensor.ShapeAsNumpy()
    raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
    values = raw.view(types[tensor.Type()]).reshape(shape).astype(np.float64)
    quantisation = tensor.Quantization()
    axis = [1] * len(shape)
    axis[quantisation.QuantizedDimension()] = -1
    scale = quantisation.ScaleAsNumpy().astype(np.float64).reshape(axis)
    zero = quantisation.ZeroPointAsNumpy().astype(np.float64).reshape(axis)
    return ((values - zero) * scale).astype(np.float32)


def _unit(layer: int, kind: str) -> str:
    """Name in this package of the published layer 1..14."""
    return "blocks.0" if kind == "conv" else f"blocks.{layer - 1}.{0 if kind == 'depthwise_conv' else 1}"


def _tflite_unit(layer: int) -> str:
    """Prefix in this package of layer 1..27 of the TFLite graph; empty for the classifier, layer 29."""
    if layer > _TFLITE_LAYERS:
        return ""
    return "blocks.0.conv." if layer == 1 else f"blocks.{layer // 2}.{layer % 2}.conv."


def _read_h5(path: Path) -> dict[str, np.ndarray]:
    try:
        import h5py
    except ImportError as error:
        raise WeightsError(f"Reading {path} needs h5py: pip install 'contrastive-artifacts[convert]'.") from error
    arrays: dict[str, np.ndarray] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = np.asarray(item[()], dtype=np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(collect)
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path} is not a readable HDF5 file ({error}); download it again.") from error
    return arrays


def _read_tflite(path: Path) -> Any:
    try:
        import tflite
    except ImportError as error:
        raise WeightsError(f"Reading {path} needs tflite: pip install 'contrastive-artifacts[convert]'.") from error
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise WeightsError(f"{path} is not a TFLite file; download it again.")
    return tflite.Model.GetRootAs(content, 0)
