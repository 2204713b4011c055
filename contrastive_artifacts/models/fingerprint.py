"""One hash for everything that is computed with a network: weights and settings."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from torch import nn

from .backbones import plain_state

LENGTH = 32


def fingerprint_of(*parts: nn.Module | dict[str, Any] | list[Any]) -> str:
    """SHA-256 over modules and JSON records, in the given order, as 32 hexadecimal digits.

    A module counts with the names and bytes of its tensors (low-rank corrections merged, see :func:`.plain_state`), a
    record with its JSON text, keys sorted. Tables, indexes and probes store the result, so neither the order of the
    parts nor the names of tensors may change.
    """
    digest = hashlib.sha256()
    for part in parts:
        if not isinstance(part, nn.Module):
            digest.update(json.dumps(part, sort_keys=True).encode())
            continue
        for name, tensor in sorted(plain_state(part).items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:LENGTH]
