"""Reads published files: only plain tensors; no code in them is executed."""

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
        path: The file.
        wrappers: Keys under which the state dict may be nested ("model"); the first that exists is used.

    Raises:
        WeightsError: the file is damaged, would execute code when unpickled, or holds no state dict of tensors.
    """
    return state_of(torch_content(path), path, *wrappers)


def torch_content(path: Path) -> Any:
    """Content of a ``.pt``, ``.pth`` or ``.ckpt`` file: tensors and plain settings.

    Raises:
        WeightsError: the file is damaged, or would execute code when unpickled.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive raises errors of many kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path} is not a readable PyTorch state dict ({reason}); download it again.") from error


def state_of(content: Any, path: Path, *wrappers: str) -> State:
    """The state dict in ``content``, which was read from the file at ``path``; see :func:`torch_state`."""
    if isinstance(content, dict):
        content = next((content[key] for key in wrappers if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no state dict of tensors; use the file that the checkpoint record names.")
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
