"""Scans a recording of any length into a timeline: python scripts/scan.py path=FILE [encoder=release|RUN] [out=STEM]"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FILE", "path"),
        stopped="Nothing was written: a timeline is written when the whole recording is scanned.",
    )

from pathlib import Path
from typing import Any

import contrastive_artifacts as ca
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.scan.timeline import severity_text


def main(config: dict[str, Any]) -> None:
    how = {name: config[name] for name in ("channels", "enter", "leave")}
    timeline = ca.scan(config["path"], ca.load(config["encoder"]), **how)
    stem = Path(config["out"] or Path(config["path"]).with_suffix(""))
    written = {"csv": timeline.to_csv, "json": timeline.to_json, "txt": timeline.to_audacity, "vtt": timeline.to_webvtt}
    for suffix, write in {**written, "html": timeline.to_html}.items():
        write(stem.with_name(f"{stem.name}.artifacts.{suffix}"))
    rows = [
        [f"{s.start / timeline.sample_rate:.2f}", f"{s.stop / timeline.sample_rate:.2f}", s.label,
         severity_text(s.severity), f"{s.confidence:.2f}", "mix" if s.channel is None else s.channel]
        for s in timeline.segments
    ]  # fmt: skip
    columns = ["start s", "stop s", "artifact", "severity", "confidence", "channel"]
    table(f"{config['path']}: {len(rows)} segments", columns, rows)
    console.print(f"timeline  {stem}.artifacts.{{csv,json,txt,vtt,html}}")
