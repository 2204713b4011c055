"""Exports the encoder of a run, with a probe, into a folder to give away.

    python scripts/export.py outputs/mine to=my-encoder
    python scripts/export.py outputs/mine to=my-encoder onnx=true

Half precision, and a probe trained on every source of the run; `contrastive_artifacts.load("my-encoder")` opens it
offline.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("RUN", "run"), stopped="The folder is incomplete; run the same command again.")

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.embedding import open_encoder, sets_to_onnx
from contrastive_artifacts.embedding.opening import has_context
from contrastive_artifacts.models.onnx import to_onnx
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.runs.sets import export_sets, is_set_run


@dataclass(frozen=True)
class Settings:
    run: str
    to: str
    duration_s: float
    draws: int
    seed: int
    onnx: bool
    clean: Mapping[str, Mapping[str, Any]] | None


def main(config: dict[str, Any]) -> None:
    typed.settings(Settings, config, "")
    onnx = config.pop("onnx")
    if onnx and has_context(Path(config["run"]) / "encoder"):
        raise ParameterError("An ONNX file cannot hold the context module of this run; export it without onnx=true.")
    target, run, clean = config.pop("to"), config.pop("run"), config.pop("clean")
    files.check_folder("to", target)
    if clean and not is_set_run(run):
        raise ParameterError("clean= sets the thresholds of encoders of label sets; this run has one label.")
    fingerprint = export_sets(run, target, clean) if is_set_run(run) else Run(run).export(target, **config)
    if onnx and is_set_run(run):
        paths = sets_to_onnx(target, target)
        console.print(f"ONNX               {', '.join(map(str, paths))} (from figures to chances; docs/onnx.md)")
    elif onnx:
        to_onnx(open_encoder(target, "the ONNX export"), f"{target}/encoder.onnx")
        console.print(f"ONNX               {target}/encoder.onnx (waveform in; h, z, types, severities out; any batch)")
    console.print(f"encoder and probe  {target} (fingerprint {fingerprint})")
