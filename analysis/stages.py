"""Effect of stages and frame labels: python analysis/stages.py out=outputs/stages, after runs/stages.sh.

One CSV row per run: macro-F1 over clips, and figures over frames of views whose artifact lies in a span.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.runs.measure import summary


def main(config: dict[str, Any]) -> None:
    runs = sorted(path.parent for path in Path(config["out"]).glob("*/metrics.json"))
    if not runs:
        raise StorageError(f"{config['out']} holds no probed run; run {config['command']} first.")
    about = {"command": config["command"], "commit": files.commit(__file__)}
    rows = [{**measured(run), **about} for run in runs]
    files.write_csv(config["csv"], [list(rows[0]), *(row.values() for row in rows)])
    shown = [name for name in rows[0] if name not in about]
    table("held-out sources", shown, [[_text(row[name]) for name in shown] for row in rows])
    console.print(f"rows  {config['csv']}")


def measured(run: Path) -> dict[str, Any]:
    """The row of a probed run; figures over frames are empty where it has no frame head."""
    name, _, seed = run.name.rpartition("-")
    figures, trainer = files.read_json(run / "metrics.json"), files.read_json(run / "config.json")["trainer"]
    row: dict[str, Any] = {"run": name, "seed": int(seed), "steps": trainer["steps"]}
    for space in ("h", "z"):
        figures_of_space = summary(figures[space]["test"])
        row |= {f"{space} {key}": figures_of_space[key] for key in ("linear macro-F1", "kNN5 macro-F1", "severity rho")}
    frames = files.read_json(run / "frames.json")["test"]["mean"] if (run / "frames.json").exists() else {}
    return row | {f"frame {key}": frames.get(key) for key in ("ap", "f1", "found", "onset_ms", "offset_ms")}


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
