"""Lists the backbones that an encoder can start from, with their licences.

    python scripts/backbones.py
    python scripts/backbones.py mn04

Without a name: one line for each. With a name: its whole record, with addresses, sizes, hashes and licences.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("NAME", "name"))

from dataclasses import dataclass
from typing import Any

from contrastive_artifacts.core import typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.models.backbones import BACKBONES, Checkpoint, hub


@dataclass(frozen=True)
class Settings:
    name: str | None


def main(config: dict[str, Any]) -> None:
    name = typed.settings(Settings, config, "").name
    if name is not None:
        table(name, ("", ""), record(BACKBONES[name]))
    else:
        columns = ("name", "parameters", "mAP", "weights", "code", "here")
        table("backbones", columns, [line(BACKBONES[name]) for name in BACKBONES])
        console.print(f"Published weights are read from, and downloaded to, {hub.cache_folder()}.")


def line(checkpoint: Checkpoint) -> tuple[str, ...]:
    """A checkpoint as a row of the list."""
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
    """Which weights are on this machine: "published", "ours" (in this package), or none."""
    if any((hub.cache_folder() / source.filename).is_file() for source in checkpoint.sources):
        return "published"
    return "ours" if hub.bundled(checkpoint.name) else ""


def record(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    """Everything known of a checkpoint, as rows of name and value."""
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
