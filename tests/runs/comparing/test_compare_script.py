"""scripts/compare.py from the command line: table, figure, marks, and a second call that finds all done."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def compare(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tiny = ["corpus.sources=8", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "artifacts.states=[clean,hiss]",
            "measure.duration_s=0.5", "measure.folds=2", "measure.seconds=1.0", "measure.repeats=1",
            f"out={tmp_path}/out"]  # fmt: skip
    environment = {**os.environ, "CONTRASTIVE_ARTIFACTS_CACHE": str(tmp_path)}
    command = [sys.executable, ROOT / "scripts" / "compare.py", *tiny, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=200)


@pytest.mark.slow
def test_table_and_figure_are_written_and_kept(tmp_path):
    arguments = ("backbones=[mn01]", "encoders=[release]", f"csv={tmp_path}/also.csv")
    done = compare(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "also.csv").read_text().splitlines()))
    assert [(row["name"], row["weights"]) for row in rows] == [("mn01", "random"), ("release", "trained")]
    assert rows[0]["command"].startswith("python scripts/compare.py corpus.sources=8")
    assert (tmp_path / "out" / "table.csv").read_text() == (tmp_path / "also.csv").read_text()
    assert (tmp_path / "out" / "figure.png").stat().st_size > 0
    assert "| mn01 (random) |" in (tmp_path / "out" / "table.md").read_text()
    assert "mn01: random weights: put mn01_as_mAP_298.pt from https" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "rows").iterdir()}
    assert len(before) == 2
    again = compare(tmp_path, *arguments)
    assert again.stderr.count("finished before") == 2
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "rows").iterdir()} == before


@pytest.mark.slow
def test_no_candidates_is_an_error_that_names_the_files(tmp_path):
    done = compare(tmp_path, "backbones=[mn01]", "encoders=[]", "random=false")
    assert done.returncode == 2
    assert "mn01_as_mAP_298.pt" in done.stderr
    assert "Traceback" not in done.stderr
