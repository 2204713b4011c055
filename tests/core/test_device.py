"""Where networks run."""

from __future__ import annotations

import pytest
import torch

from contrastive_artifacts.core.device import VARIABLE, chosen_device
from contrastive_artifacts.core.errors import ParameterError


@pytest.mark.parametrize(
    ("name", "gpus", "expected"),
    [(None, 2, "cpu"), ("cpu", 2, "cpu"), ("auto", 0, "cpu"), ("auto", 2, "cuda:0"), ("cuda", 1, "cuda:0"),
     ("cuda:1", 2, "cuda:1")],
)  # fmt: skip
def test_the_variable_names_a_device(monkeypatch: pytest.MonkeyPatch, name: str | None, gpus: int, expected: str):
    monkeypatch.delenv(VARIABLE, raising=False)
    if name is not None:
        monkeypatch.setenv(VARIABLE, name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert chosen_device() == torch.device(expected)


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "cuda:x", "gpu", "", "meta"])
def test_a_device_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(VARIABLE, name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ParameterError, match=f"{VARIABLE}={name}: (PyTorch sees 0 GPUs|give cpu, cuda)"):
        chosen_device()
