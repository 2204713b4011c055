"""Where networks in use run: on the CPU, or on the GPU that an environment variable names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .errors import ParameterError

if TYPE_CHECKING:
    import torch

VARIABLE = "CONTRASTIVE_ARTIFACTS_DEVICE"


def chosen_device() -> torch.device:
    """``cpu`` unless :data:`VARIABLE` is ``cuda``, ``cuda:N``, or ``auto``: the first GPU if there is one.

    Raises:
        ParameterError: another value, or a GPU that PyTorch does not see.
    """
    import torch

    name = os.environ.get(VARIABLE, "cpu")
    if name == "cpu":
        return torch.device(name)
    count, (kind, _, number) = torch.cuda.device_count(), name.partition(":")
    if name == "auto" and not count:
        return torch.device("cpu")
    if kind not in ("auto", "cuda") or not (number or "0").isdecimal():
        raise ParameterError(f"{VARIABLE}={name}: give cpu, cuda, cuda:N or auto.")
    if int(number or "0") >= count:
        raise ParameterError(f"{VARIABLE}={name}: PyTorch sees {count} GPUs; install a build for CUDA, or give cpu.")
    return torch.device("cuda", int(number or "0"))
