"""Tabulates the runs of runs/stages.sh: what stages and frame labels bring.

    python analysis/stages.py out=outputs/stages

One CSV row per run: macro-F1 over clips, and how well frames are classified on views with the artifact in a part.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.runs.measure import summary


@dataclass(frozen=True)
class Settings:
    out: str
    csv: str
    command: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    runs = sorted(path.parent for path in Path(settings.out).glob("*/metrics.json"))
    if not runs:
        raise StorageError(f"{settings.out} holds no probed run; run {settings.command} first.")
    about = {"command": settings.command, "commit": files.commit(__file__)}
    rows = [{**measured(run), **about} for run in runs]
    files.write_csv(settings.csv, [list(rows[0]), *(row.values() for row in rows)])
    shown = [name for name in rows[0] if name not in about]
    table("held-out sources", shown, [[_text(row[name]) for name in shown] for row in rows])
    console.print(f"rows  {settings.csv}")


def measured(run: Path) -> dict[str, Any]:
    """The row of a probed run; frame figures are empty where it has no frame head."""
    name, _, seed = run.name.rpartition("-")
    figures, trainer = files.read_json(run / "metrics.json"), files.read_json(run / "config.json")["trainer"]
    row: dict[str, Any] = {"run": name, "seed": int(seed), "steps": trainer["steps"]}
    for space in ("h", "z"):
        values = summary(figures[space]["test"])
        row |= {f"{space} {key}": values[key] for key in ("linear macro-F1", "kNN5 macro-F1", "severity rho")}
    frames = files.read_json(run / "frames.json")["test"]["mean"] if (run / "frames.json").exists() else {}
    return row | {f"frame {key}": frames.get(key) for key in ("ap", "f1", "found", "onset_ms", "offset_ms")}


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
