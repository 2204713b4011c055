"""Imports torchaudio, without its compiled extension where that does not load."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch


def load(name: str = "torchaudio") -> ModuleType:
    """Imports ``torchaudio`` or one of its submodules.

    The wheels on PyPI are linked against CUDA, so that with a CPU build of PyTorch their extension fails to load. It is
    then replaced by a stub that reports it as absent; everything that is written in Python works.

    >>> load("torchaudio.compliance.kaldi").__name__
    'torchaudio.compliance.kaldi'
    """
    with torch.device("cpu"):  # constants are created at import: not on another default device
        return _import(name)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (OSError, RuntimeError):
        for module in [m for m in sys.modules if m == "torchaudio" or m.startswith("torchaudio.")]:
            del sys.modules[module]
        sys.modules["torchaudio._extension"] = _absent_extension()
        return importlib.import_module(name)


def _absent_extension() -> ModuleType:
    def unavailable(*_: object, **__: object) -> None:
        raise RuntimeError("This torchaudio was loaded without its compiled extension.")

    stub = ModuleType("torchaudio._extension")
    vars(stub).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=lambda function: unavailable,
    )
    return stub
