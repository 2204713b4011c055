"""The model card of a shared encoder, filled from its ``config.json``: metadata that the hub reads, then prose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ..artifacts import ARTIFACTS
from ..probes.storage import PROBE_RECORD


def card(config: Mapping[str, Any], licence: str | None, address: str) -> str:
    """The text of ``README.md``: what the encoder hears, how it is used, what it is made of, its limits.

    Args:
        config: As :func:`.sharing.write_shared` writes it.
        licence: Of the encoder, as the hub names it; None leaves it out.
        address: What :func:`contrastive_artifacts.load` takes.
    """
    labels = list(config["label2id"])
    backbone = config["encoder"].get("backbone") or {}
    metadata: dict[str, Any] = {
        "library_name": "contrastive_artifacts",
        "pipeline_tag": "audio-classification" if _has_probe(config) else "feature-extraction",
        "tags": ["audio", "audio-quality", "artifact-detection", "contrastive-learning"],
    }
    if licence is not None:
        metadata["license"] = licence
    rows = [
        ("input", f"audio of any rate and length, in windows of {config['window_s']:g} s every {config['hop_s']:g} s"),
        ("embedding", f"{config['hidden_size']} values, unit length"),
        ("labels", f"{len(labels)}, {_kind(config)}" if _has_probe(config) else "no probe: embeddings only"),
        ("backbone", _backbone(backbone)),
        ("fingerprint", f"`{config['fingerprint']}`: vectors of encoders with other fingerprints are not comparable"),
    ]
    return "\n".join(
        [
            "---", yaml.safe_dump(metadata, sort_keys=False).strip(), "---", "",
            "# Encoder of audio artifacts", "",
            "Hears what is wrong with a recording: which artifact, how bad, where. For the Python package "
            "`contrastive-artifacts`; its network is not one of the transformers library.", "",
            "```python", "import contrastive_artifacts as ca", "",
            f'encoder = ca.load("{address}")',
            'vector = encoder.embed("clip.wav").clip',
            *_verdict(config),
            "```", "",
            "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), "",
            "## Labels", "", *(f"- `{label}`{_scale(label)}" for label in labels), "",
            "## Limits", "",
            "- Trained on artifacts that were rendered into clean recordings; on other material, expect more false "
            "alarms. Listen before you act on a verdict.",
            "- It judges faults of the signal; it does not judge content, speakers or intelligibility.", "",
        ]
    )  # fmt: skip


def _has_probe(config: Mapping[str, Any]) -> bool:
    return PROBE_RECORD in config["files"]


def _kind(config: Mapping[str, Any]) -> str:
    several = config["problem_type"] == "multi_label_classification"
    return "several at once, each with a chance of its own" if several else "one at a time; probabilities sum to 1"


def _verdict(config: Mapping[str, Any]) -> list[str]:
    if not _has_probe(config):
        return []
    return ['encoder.classify("clip.wav").label', 'ca.scan("film.mp4", encoder=encoder).to_html("film.html")']


def _backbone(record: Mapping[str, Any]) -> str:
    if not record:
        return "none"
    stated = [record.get("origin"), record.get("licence") and f"licence: {record['licence']}"]
    return ", ".join([f"`{record['backbone']}`", *(str(text) for text in stated if text)])


def _scale(label: str) -> str:
    return f": severity 0 .. 1 is {ARTIFACTS[label].scale}" if label in ARTIFACTS else ""
