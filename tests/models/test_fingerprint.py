"""Fingerprints depend on weights, names and records, and those of the released encoders never change."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from torch import nn

import contrastive_artifacts as ca
from contrastive_artifacts.models.fingerprint import fingerprint_of


def layer(bias: float = 0.0) -> nn.Linear:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.bias.fill_(bias)
    return layer


def test_it_is_the_hash_of_names_bytes_and_records_in_their_order() -> None:
    state, record = layer().state_dict(), {"b": 1, "a": [2]}
    tensors = b"".join(name.encode() + state[name].numpy().tobytes() for name in ("bias", "weight"))
    text = json.dumps({"a": [2], "b": 1}).encode()
    assert fingerprint_of(layer(), record) == hashlib.sha256(tensors + text).hexdigest()[:32]
    assert fingerprint_of(record, layer()) == hashlib.sha256(text + tensors).hexdigest()[:32]


def test_it_changes_with_a_weight_a_name_and_a_record() -> None:
    parts = [(layer(), {}), (layer(1e-7), {}), (nn.Sequential(layer()), {}), (layer(), {"a": 1})]
    assert len({fingerprint_of(*part) for part in parts}) == 4


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("all", "ed6dc24ebd7d9a8075e820aa3756f2e8"),
        ("mn04", "673f90086a23f235d4f504af9a5c4eba"),
        ("yamnet", "5c218102fe54848e480b5c1cc0f471e5"),
    ],
)
def test_released_encoders_keep_theirs(name: str, fingerprint: str) -> None:
    """Tables, indexes and probes that users have stored are refused under another one."""
    encoder = ca.load(f"release/{name}")
    assert encoder.fingerprint == fingerprint
    assert encoder.probe is not None
