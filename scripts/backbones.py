"""Prints the checkpoints that an encoder can start from: python scripts/backbones.py [NAME]

Without a name: one line each. With one: its whole record, with addresses, sizes, hashes and licences.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("NAME", "name"))

from typing import Any

from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.models.backbones import BACKBONES, Checkpoint, hub


def main(config: dict[str, Any]) -> None:
    name = config["name"]
    if name:
        table(name, ("", ""), record(BACKBONES[name]))
    else:
        columns = ("name", "parameters", "mAP", "weights", "code", "here")
        table("backbones", columns, [line(BACKBONES[each]) for each in BACKBONES])
        console.print(f"Files are looked for, and downloaded to, {hub.cache_folder()}. weights=none needs no file.")


def line(checkpoint: Checkpoint) -> tuple[str, ...]:
    facts = checkpoint.published
    return (
        checkpoint.name,
        f"{facts['parameters'] / 1e6:.2f} M" if "parameters" in facts else "",
        f"{facts['map']:.3f}" if "map" in facts else "",
        checkpoint.licence,
        checkpoint.code_licence,
        here(checkpoint),
    )


def here(checkpoint: Checkpoint) -> str:
    """Which weights this machine has."""
    if any((hub.cache_folder() / source.filename).is_file() for source in checkpoint.sources):
        return "published"
    return "ours" if hub.bundled(checkpoint.name) else ""


def record(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    rows = [
        ("published by", checkpoint.origin),
        ("paper", checkpoint.paper),
        ("licence of the weights", checkpoint.licence),
        ("licence of the code", checkpoint.code_licence),
        *((key, f"{value:,.10g}") for key, value in checkpoint.published.items()),
    ]
    for source in checkpoint.sources:
        size = f"{source.size} bytes" if source.size else "unpinned until the first download"
        rows += [("file", f"{source.filename} ({size})"), ("address", source.url), ("sha256", source.sha256 or "")]
    return rows
