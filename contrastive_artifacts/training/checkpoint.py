"""The checkpoint of a training: one safetensors file, written atomically, from which training resumes exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..core import files
from ..core.errors import StorageError, TrainingError
from ..models.encoder_files import RECORD

NAME = "state.safetensors"


@dataclass
class State:
    """Everything that the next step depends on: tensors by name, and a JSON record."""

    tensors: dict[str, Tensor]
    record: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix.``; their names here are without it."""
        return {k[len(prefix) + 1 :]: v for k, v in self.tensors.items() if k.startswith(prefix + ".")}


def check_config(run: Path, config: dict[str, Any]) -> None:
    """Checks that a run directory is new or belongs to this configuration.

    A setting of null counts as absent: a run from before the setting existed has the same configuration.

    Raises:
        TrainingError: it belongs to another one, or holds an encoder that is not of this training.
    """
    path = run / "config.json"
    encoder = next((folder for folder in (run / "encoder", run) if (folder / RECORD).exists()), None)
    replaced = "" if encoder is None else f", and this training would replace the trained encoder in {encoder}"
    if path.exists() and _without_null(files.read_json(path)) != _without_null(config):
        raise TrainingError(
            f"{run} holds a run of another configuration (see {path}){replaced}; choose another run=... or delete it."
        )
    if encoder is not None and not path.exists():
        raise TrainingError(f"{run} holds no run{replaced}; choose another run=...")


def _without_null(value: Any) -> Any:
    """The same JSON without the entries of mappings that are null."""
    if isinstance(value, dict):
        return {key: _without_null(entry) for key, entry in value.items() if entry is not None}
    return [_without_null(entry) for entry in value] if isinstance(value, list) else value


def save(directory: Path, state: State) -> None:
    """Writes tensors and record into one file, so that a kill between two writes cannot leave a mixture."""
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in state.tensors.items()}
    with files.atomic_path(directory / NAME) as temporary:
        save_file(tensors, temporary, metadata={"record": json.dumps(state.record, allow_nan=False)})


def load(directory: Path) -> State | None:
    """The last checkpoint of a run, or None if there is none.

    Raises:
        StorageError: the file is damaged.
    """
    path = directory / NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {})["record"])
            return State({name: file.get_tensor(name) for name in file.keys()}, record)  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise StorageError(f"{path} is damaged ({error}); delete it to train this run from the start.") from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's tensors of each parameter as ``{index}.{name}``; its settings come from the configuration."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(value) for i, entry in state.items() for name, value in entry.items()}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Loads what :func:`optimizer_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
