"""Low-rank corrections of the linear layers of a backbone (LoRA): few trained parameters, saved as plain weights.

LoRA, arXiv 2106.09685, with the peft library (Apache-2.0).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ...core.errors import ParameterError
from .contract import Backbone, Features
from .huggingface import transformers

# Names of the linear layers of attention: this package's, those of transformers, those of timm and its descendants.
ATTENTION = (
    "qkv",
    "out",
    "proj",
    "q_proj",
    "k_proj",
    "v_proj",
    "out_proj",
    "o_proj",
    "query",
    "key",
    "value",
    "attention.output.dense",
)
_BASE = ".base_layer."


class Adapted(Backbone):
    """A backbone in which only corrections ``scale * B A`` of some linear layers are trained.

    Its layer groups contain only the corrections. Its record is the one of the backbone without corrections, whose
    tensors :func:`plain_state` returns.

    Args:
        backbone: Changed in place.
        rank, alpha, targets, dropout: As in :func:`adapt`.

    Raises:
        ParameterError: peft is not installed, or no linear layer is named like one of ``targets``.
    """

    def __init__(self, backbone: Backbone, rank: int, alpha: float, targets: Sequence[str], dropout: float) -> None:
        super().__init__()
        layers = [name for name, module in backbone.named_modules() if _is_target(name, module, targets)]
        if not layers:
            linear = sorted({n.rpartition(".")[2] for n, m in backbone.named_modules() if isinstance(m, nn.Linear)})
            raise ParameterError(
                f"No linear layer is called {' or '.join(targets)}; "
                + (f"targets can be of: {', '.join(linear)}." if linear else "this backbone has none; leave out lora.")
            )
        peft = _peft()
        # With full names: peft would match endings of names, and warn about layers that are not linear.
        config = peft.LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=layers)
        self.inner: Backbone = peft.inject_adapter_in_model(config, backbone)
        for name in ("sample_rate", "dim", "bands", "hop_s", "window_s", "offset_s", "min_samples", "record"):
            setattr(self, name, getattr(backbone, name))
        for key, parameter in self.inner.named_parameters():
            parameter.requires_grad_(_is_correction(key))
        self.frontend = backbone.frontend

    def forward(self, waveform: Tensor) -> Features:
        return self.inner(waveform)

    def layer_groups(self) -> list[nn.Module]:
        corrections = {id(p) for key, p in self.inner.named_parameters() if _is_correction(key)}
        groups = [[p for p in layers.parameters() if id(p) in corrections] for layers in self.inner.layer_groups()]
        return [nn.ParameterList(group) for group in groups if group]

    def plain(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of the backbone, with corrections added to the weights, from this module's ``state_dict()``."""
        merged = {}
        for key, tensor in state.items():
            if _is_correction(key) or not key.startswith("inner."):
                continue
            if key.endswith(_BASE + "weight"):
                layer: Any = self.get_submodule(key.removesuffix(_BASE + "weight"))
                tensor = tensor + layer.get_delta_weight("default").detach().to(tensor)
            merged[key.removeprefix("inner.").replace(_BASE, ".")] = tensor
        return merged


def adapt(
    backbone: Backbone,
    rank: int = 8,
    alpha: float = 16.0,
    targets: Sequence[str] | None = None,
    dropout: float = 0.0,
) -> Adapted:
    """Adds trainable corrections, which are zero at first.

    Args:
        backbone: Changed in place.
        rank: Rank of the corrections, >= 1.
        alpha: Corrections are scaled by ``alpha / rank``; > 0.
        targets: Endings of the names of the linear layers to correct (``mlp.fc1``); default: those of attention.
        dropout: Dropout probability of the input of the corrections in training, [0, 1).

    Raises:
        ParameterError: peft is not installed, a value is out of range, or the backbone has no such layer.
    """
    if rank < 1 or alpha <= 0 or not 0 <= dropout < 1:
        raise ParameterError(f"LoRA needs rank >= 1, alpha > 0 and dropout in [0, 1); got {rank}, {alpha}, {dropout}.")
    return Adapted(backbone, rank, alpha, ATTENTION if targets is None else targets, dropout)


def adapt_as(backbone: Backbone, options: Mapping[str, Any]) -> Adapted:
    """:func:`adapt` with options from a configuration.

    Raises:
        ParameterError: as :func:`adapt`, or an option does not exist.
    """
    known = ("rank", "alpha", "targets", "dropout")
    if unknown := sorted(options.keys() - set(known)):
        raise ParameterError(f"lora has no option {', '.join(unknown)}; it has {', '.join(known)}.")
    return adapt(backbone, **options)


def plain_state(module: nn.Module) -> dict[str, Tensor]:
    """``module.state_dict()`` as it would be without corrections, which are added to the weights."""
    state = module.state_dict()
    for name, part in module.named_modules():
        if isinstance(part, Adapted):
            prefix = name + "." if name else ""
            adapted = {key.removeprefix(prefix): state.pop(key) for key in list(state) if key.startswith(prefix)}
            state |= {prefix + key: tensor for key, tensor in part.plain(adapted).items()}
    return state


def _is_target(name: str, module: nn.Module, targets: Sequence[str]) -> bool:
    return isinstance(module, nn.Linear) and f".{name}".endswith(tuple(f".{target}" for target in targets))


def _is_correction(key: str) -> bool:
    return ".lora_" in key


def _peft() -> Any:
    transformers()  # peft imports it
    try:
        return importlib.import_module("peft")
    except ImportError as error:
        raise ParameterError(
            f"LoRA needs the library peft, which cannot be imported ({error}): "
            "pip install 'contrastive-artifacts[peft]', or leave out backbone.lora."
        ) from error
