"""Exports a run's encoder to give away: python scripts/export.py run=DIR to=DIR [onnx=true]

Half precision, and a probe fitted on every source of the run; `contrastive_artifacts.load(to)` uses it offline.
"""

from __future__ import annotations

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from contrastive_artifacts.core.console import console, instructive
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.embedding import open_encoder
from contrastive_artifacts.models.onnx import to_onnx
from contrastive_artifacts.runs.run import Run


@hydra.main(version_base="1.3", config_path="../configs", config_name="export")
def main(cfg: DictConfig) -> None:
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    onnx = config.pop("onnx")
    if onnx and (Path(config["run"]) / "encoder" / "context.json").exists():
        raise ParameterError("The ONNX file holds an encoder alone, no context module; export this run without onnx.")
    fingerprint = Run(config.pop("run")).export(config.pop("to"), **config)
    if onnx:
        to_onnx(open_encoder(cfg.to, "the ONNX export"), f"{cfg.to}/encoder.onnx")
        console.print(f"ONNX               {cfg.to}/encoder.onnx (waveform in; h, z, types, severities out; any batch)")
    console.print(f"encoder and probe  {cfg.to} (fingerprint {fingerprint})")


if __name__ == "__main__":
    with instructive():
        main()
