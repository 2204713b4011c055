"""Reading third-party files: plain tensors only, nothing in them is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...core.errors import WeightsError
from .spec import State


def torch_state(path: Path, *wrappers: str) -> State:
    """The state dict in a ``.pt``, ``.pth`` or ``.ckpt`` file.

    Args:
        wrappers: Keys under which it may lie one level down ("model"); the first that is there counts.

    Raises:
        WeightsError: the file is damaged, would execute code when unpickled, or holds no state dict of tensors.
    """
    return state_of(torch_content(path), path, *wrappers)


def torch_content(path: Path) -> Any:
    """What a ``.pt``, ``.pth`` or ``.ckpt`` file holds: tensors, and the plain settings that lie beside them.

    Raises:
        WeightsError: the file is damaged, or would execute code when unpickled.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive raises many kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path} is not a readable PyTorch state dict ({reason}); download it again.") from error


def state_of(content: Any, path: Path, *wrappers: str) -> State:
    """The state dict in the content of the file at ``path``; as :func:`torch_state`."""
    if isinstance(content, dict):
        content = next((content[key] for key in wrappers if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no plain state dict of tensors; use the file that the record names.")
    return dict(content)


def safetensors_state(path: Path) -> State:
    """The tensors of a ``.safetensors`` file.

    Raises:
        WeightsError: the file is damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file ({error}); download it again.") from error
