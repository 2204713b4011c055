"""The verb without a page: measure, apply, and read the result by configuration."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.runs import corpus_sections

ROOT = Path(__file__).parents[3]
RATE = 16000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for n in range(3):
        audio.write(tmp_path / "data" / f"good{n}.wav", rng.normal(0, 0.05, (1, RATE)).astype(np.float32), RATE)
    loud = np.sin(2 * np.pi * 333 * np.arange(RATE) / RATE)
    clipped = np.clip(loud, -0.4, 0.4) + rng.normal(0, 0.001, RATE)  # noise over the aliases, which are lines too
    audio.write(tmp_path / "data" / "clipped.wav", clipped.astype(np.float32), RATE)
    return tmp_path / "data"


def curate(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "curate.py"), f"corpus.path={tmp_path}/data", f"to={tmp_path}/to"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=120)


@pytest.mark.slow
def test_headless_rounds(data, tmp_path):
    done = curate(tmp_path, "serve=false")
    assert done.returncode == 0, done.stderr
    assert "version 1: 4 kept, 0 rejected" in done.stdout
    done = curate(tmp_path, "serve=false", "apply=auto")
    assert done.returncode == 0, done.stderr
    assert "version 2: 3 kept, 1 rejected" in done.stdout
    assert "Balance" in done.stdout
    about = json.loads((tmp_path / "to" / "manifest.json").read_text())
    assert about["counts"]["reasons"] == {"clipped": 1}
    rows = list(csv.reader((tmp_path / "to" / "balance.csv").read_text().splitlines()))
    assert rows[-1][:4] == ["all", "all", "4", "3"]
    section = {"kind": "folder", "path": str(data), "curation": str(tmp_path / "to")}
    assert [clip.id for clip in corpus_sections.make_corpus(section).clips] == ["good0.wav", "good1.wav", "good2.wav"]


@pytest.mark.slow
def test_mistakes_are_told_before_anything_is_measured(data, tmp_path):
    for argument, text in (("apply=all", "apply='all'"), ("limits={cliped: null}", "no reason 'cliped'")):
        done = curate(tmp_path, "serve=false", argument)
        assert done.returncode == 2
        assert text in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "to").exists()


@pytest.mark.slow
def test_shards_are_joined_to_the_manifest_of_one_call(data, tmp_path):
    done = curate(tmp_path, "serve=false", "apply=auto", f"to={tmp_path}/whole")
    assert done.returncode == 0, done.stderr
    for shard in ("1/2", "2/2"):
        done = curate(tmp_path, "serve=false", f"shard={shard}")
        assert done.returncode == 0, done.stderr
        assert f"shard     {shard}" in done.stdout
        assert not (tmp_path / "to" / "manifest.csv").exists()
    done = curate(tmp_path, "serve=false", "apply=auto", "shard=merge")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "to" / "manifest.csv").read_bytes() == (tmp_path / "whole" / "manifest.csv").read_bytes()
