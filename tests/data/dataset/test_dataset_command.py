"""The verb ``render``, called as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts import audio

ROOT = Path(__file__).parents[3]


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, ROOT / "scripts" / "render.py", *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, env=environment, timeout=250)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    audio.write(tmp_path / "clip.wav", np.random.default_rng(0).normal(0, 0.1, (2, 8000)).astype(np.float32), 16000)
    return tmp_path / "clip.wav"


@pytest.mark.slow
def test_one_file_one_artifact_and_again(clip: Path) -> None:
    arguments = ["path=clip.wav", "artifacts=[hum]", "severities=[0.2,0.8]", "to=out/"]
    done = command(*arguments, cwd=clip.parent)
    assert done.returncode == 0, done.stderr
    assert "rendered  3 files now" in done.stdout
    files = sorted(str(p.relative_to(clip.parent / "out")) for p in clip.parent.glob("out/*/*.flac"))
    assert files == ["clean/clip-clean.flac", "hum/clip-hum-0.flac", "hum/clip-hum-1.flac"]
    again = command(*arguments, cwd=clip.parent)
    assert again.returncode == 0
    assert "nothing left to render" in again.stdout
    other = command(*arguments, "seed=1", cwd=clip.parent)
    assert other.returncode == 1
    assert "another plan: seed was 0, is 1" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "path=FILE|DIR or corpus=NAME"),
        (["path=nowhere.wav"], "nowhere.wav does not exist"),
        (["path=clip.wav", "artifacts=[huum]"], "Did you mean hum"),
        (["path=clip.wav", "severities=random"], "give uniform, or a list"),
    ],
)
def test_errors_instruct(clip: Path, arguments: list[str], message: str) -> None:
    done = command(*arguments, "to=out", cwd=clip.parent)
    assert done.returncode == (1 if "nowhere.wav" in message else 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clip.parent / "out").exists()


@pytest.mark.slow
def test_esc50_artifact_is_one_configuration(tmp_path: Path) -> None:
    for number in range(10):
        name = f"{number % 5 + 1}-{1000 + number}-A-{number}.wav"
        wave = np.random.default_rng(number).normal(0, 0.1, (1, 4410)).astype(np.float32)
        audio.write(tmp_path / "ESC-50" / name, wave, 44100, "PCM_16")
    done = command("--config-name", "render_esc50", "corpus.path=ESC-50", "to=out", "split.test=5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()
    counts = Counter((row["split"], row["artifact"]) for row in rows)
    names = ("clean", "hiss", "hum", "clicks", "clipping", "dropout", "wow_flutter")
    assert counts == {(side, name): n for side, n in (("train", 6), ("validation", 2), ("test", 2)) for name in names}
    side_of = {1: "train", 2: "validation", 3: "train", 4: "train", 5: "test"}
    assert all(row["split"] == side_of[row["fold"]] for row in rows)
    assert {row["corpus"] for row in rows} == {"esc50"}
    assert all(row["source"].startswith("freesound:") for row in rows)
    assert len({json.dumps([row["clip"], row["artifact"]]) for row in rows}) == len(rows)


@pytest.mark.slow
def test_shards_are_joined_to_what_one_call_renders(clip: Path) -> None:
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.1, (1, 8000)).astype(np.float32)
        audio.write(clip.parent / "clips" / f"{number}.wav", noise, 16000)
    words = ["path=clips", "artifacts=[hum]", "severities=[0.5]"]
    done = command(*words, "to=whole", cwd=clip.parent)
    assert done.returncode == 0, done.stderr
    for shard in ("2/2", "1/2", "merge"):
        done = command(*words, "to=parts", f"shard={shard}", cwd=clip.parent)
        assert done.returncode == 0, done.stderr
        assert (
            "joined    all shards" if shard == "merge" else "shard=merge, when all shards have ended"
        ) in done.stdout
    assert _files(clip.parent / "parts") == _files(clip.parent / "whole")
    missing = command(*words, "to=other", "shard=merge", cwd=clip.parent)
    assert missing.returncode == 1
    assert "shard" in missing.stderr
    assert "Traceback" not in missing.stderr


def _files(folder: Path) -> dict[str, bytes]:
    """What a dataset consists of: all files but the journals."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
