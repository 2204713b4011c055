"""A dataset is the same however it came about: by how many processes, and stopped how often."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import CorpusError, StorageError
from contrastive_artifacts.core.journal import read_entries
from contrastive_artifacts.data import dataset
from contrastive_artifacts.data.dataset import DatasetSettings, pairs, resume

ROOT = Path(__file__).parents[3]
SETTINGS = DatasetSettings(("hum", "dropout"), seed=4)
PAIRED = dataset.LAYOUTS["paired"]()


def recordings(folder: Path, count: int = 6, seconds: float = 0.3) -> Path:
    for number in range(count):
        rng = np.random.default_rng(number)
        wave = rng.normal(0, 0.2, (1 + number % 2, round(seconds * 16000))).astype(np.float32)
        audio.write(folder / f"r{number}.wav", wave, 16000)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: data for name, data in files.items() if not name.startswith(resume.FOLDER)}


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in contents(folder)}


def test_files_and_both_manifests_agree(tmp_path: Path) -> None:
    source = recordings(tmp_path / "in")
    result = dataset.render_dataset(dataset.corpus_at(source), SETTINGS, PAIRED, tmp_path / "out", {"r0.wav": "test"})
    table = pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()
    assert table == result.rows
    with open(tmp_path / "out/manifest.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in table] == rows
    assert {row["file"] for row in rows} | {"manifest.csv", "manifest.parquet"} == contents(tmp_path / "out").keys()
    assert Counter(row["artifact"] for row in table) == {"clean": 6, "hum": 6, "dropout": 6}
    assert {row["split"] for row in table if row["clip"] == "r0.wav"} == {"test"}
    assert {(row["clip"], row["channels"]) for row in table} == {(f"r{i}.wav", 1 + i % 2) for i in range(6)}
    assert len({row["id"] for row in table}) == 18
    for row in table:
        assert json.loads(row["params"])["seed"] == row["seed"]
        assert json.loads(row["params"])["severity"] == row["severity"]
        assert audio.probe(tmp_path / "out" / row["file"]).sample_rate == row["sample_rate"] == 16000


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["paired", "webdataset"])
def test_the_number_of_processes_changes_no_byte(tmp_path: Path, layout: str) -> None:
    kind = dataset.LAYOUTS[layout]
    source = recordings(tmp_path / "in")
    (source / "r2.wav").write_bytes(b"no audio")
    for workers in (1, 2):
        chosen = kind(views_per_tar=4) if layout == "webdataset" else kind()
        corpus = dataset.corpus_at(source)
        result = dataset.render_dataset(corpus, SETTINGS, chosen, tmp_path / f"out{workers}", workers=workers)
        assert [clip for clip, _ in result.rejected] == ["r2.wav"]
    assert contents(tmp_path / "out1") == contents(tmp_path / "out2")
    assert not multiprocessing.active_children()


def test_a_complete_dataset_is_left_alone(tmp_path: Path) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in"))
    first = dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    before = times(tmp_path / "out")
    again = dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    assert (first.fresh, again.fresh) == (18, 0)
    assert again.rows == first.rows
    assert times(tmp_path / "out") == before


def test_a_file_that_went_away_is_made_again_with_its_pair_only(tmp_path: Path) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in"))
    first = dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    whole, before = contents(tmp_path / "out"), times(tmp_path / "out")
    (tmp_path / "out" / first.rows[4]["file"]).unlink()
    assert dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out").fresh == 3
    assert contents(tmp_path / "out") == whole
    after = times(tmp_path / "out")
    touched = {name for name in after if after[name] != before[name]}
    assert touched == {row["file"] for row in first.rows[3:6]} | {"manifest.csv", "manifest.parquet"}


def test_a_dataset_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Its journal escaped what is not ASCII, could end in the middle of a line, and had a lock file beside it."""
    corpus, out = dataset.corpus_at(recordings(tmp_path / "in \xe4")), tmp_path / "out"
    dataset.render_dataset(corpus, SETTINGS, PAIRED, out)
    before = contents(out)
    entries = read_entries(out / resume.JOURNAL)
    text = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries[:4])
    (out / resume.JOURNAL).write_text(text + '{"job": "r4", "outco')
    (out / resume.FOLDER / "lock").touch()
    for name in ("manifest.csv", "manifest.parquet"):
        (out / name).unlink()
    assert dataset.render_dataset(corpus, SETTINGS, PAIRED, out).fresh == 2 * 3
    assert contents(out) == before


KILLED = """
import sys
from pathlib import Path
from contrastive_artifacts.data import dataset
from contrastive_artifacts.data.dataset import DatasetSettings
if __name__ == "__main__":
    source, out, layout, workers = sys.argv[1:]
    kind = dataset.LAYOUTS[layout]
    chosen = kind(views_per_tar=4) if layout == "webdataset" else kind()
    settings = DatasetSettings(("hum", "dropout"), seed=4)
    dataset.render_dataset(dataset.corpus_at(source), settings, chosen, out, workers=int(workers))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "workers"), [("paired", 1), ("webdataset", 2)])
def test_killed_it_goes_on_where_it_was(tmp_path: Path, layout: str, workers: int) -> None:
    source = recordings(tmp_path / "in", 40, 4.0)
    (tmp_path / "killed.py").write_text(KILLED)
    out, lines = tmp_path / "out", tmp_path / "out" / resume.JOURNAL
    command = [sys.executable, tmp_path / "killed.py", source, out, layout, str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (lines.exists() and lines.read_bytes().count(b"\n") >= 3) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)  # until its workers have ended, too
    assert process.returncode == -signal.SIGKILL
    assert not (out / "manifest.csv").exists()
    with lines.open("a") as file:
        file.write('{"job": "cut short')
    (out / ".left.99999999.tmp.flac").write_bytes(b"half")
    finished = {entry["job"]: entry["outcome"] for entry in read_entries(lines)}
    assert 0 < len(finished) < (40 if layout == "paired" else 20)
    kind = dataset.LAYOUTS[layout]
    chosen = kind(views_per_tar=4) if layout == "webdataset" else kind()
    held = {chosen.container(row["file"]) for outcome in finished.values() for row in outcome["rows"]}
    before = times(out)
    corpus = dataset.corpus_at(source)
    result = dataset.render_dataset(corpus, SETTINGS, chosen, out)
    assert result.fresh == len(result.rows) - sum(len(outcome["rows"]) for outcome in finished.values())
    after = times(out)
    assert {name: after[name] for name in held} == {name: before[name] for name in held}
    straight = dataset.render_dataset(corpus, SETTINGS, chosen, tmp_path / "straight")
    assert straight.rows == result.rows
    assert contents(out) == contents(tmp_path / "straight")


def test_interrupted_it_leaves_whole_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in"))
    done, encode = [], pairs.encode

    def interrupted(*given):
        done.append(1)
        if len(done) == 8:
            raise KeyboardInterrupt
        return encode(*given)

    monkeypatch.setattr(pairs, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.tmp*"))
    assert dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out").fresh == 18 - 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, r"seed was 4, is 5"),
        ({"artifacts": ("hum",)}, r'artifacts was \["hum", "dropout"\], is \["hum"\]'),
    ],
)
def test_another_plan_is_refused_and_the_difference_named(tmp_path: Path, change: dict, message: str) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in", 2))
    dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    before = times(tmp_path / "out")
    other = DatasetSettings(**{"artifacts": SETTINGS.artifacts, "seed": 4, **change})
    with pytest.raises(StorageError, match=f"another plan: {message}"):
        dataset.render_dataset(corpus, other, PAIRED, tmp_path / "out")
    more = dataset.corpus_at(recordings(tmp_path / "in", 3))
    with pytest.raises(StorageError, match="clips was 2, is 3; corpus_fingerprint was"):
        dataset.render_dataset(more, SETTINGS, PAIRED, tmp_path / "out")
    with pytest.raises(StorageError, match=r"split was \{\}, is"):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out", {"r0.wav": "test"})
    assert times(tmp_path / "out") == before


def test_folders_of_others_are_refused(tmp_path: Path) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in", 1))
    with pytest.raises(StorageError, match="no dataset of this package"):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "in")
    with pytest.raises(StorageError, match="is a file"):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "in" / "r0.wav")
    with (
        resume.open_journal(tmp_path / "out", {}),
        pytest.raises(StorageError, match=r"journal\.jsonl is in use by another process"),
    ):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")


def test_a_dataset_within_the_recordings_is_not_read_again(tmp_path: Path) -> None:
    source = recordings(tmp_path / "in", 2)
    for _ in range(2):
        corpus = dataset.corpus_at(source, source / "out")
        assert len(dataset.render_dataset(corpus, SETTINGS, PAIRED, source / "out").rows) == 6
    with pytest.raises(CorpusError, match="does not exist"):
        dataset.corpus_at(tmp_path / "nowhere.wav")


def test_bad_files_are_named_and_the_others_rendered(tmp_path: Path) -> None:
    source = recordings(tmp_path / "in", 3)
    (source / "r1.wav").write_bytes(b"")
    result = dataset.render_dataset(dataset.corpus_at(source), SETTINGS, PAIRED, tmp_path / "out")
    assert {row["clip"] for row in result.rows} == {"r0.wav", "r2.wav"}
    header, row = (tmp_path / "out/rejected.csv").read_text().splitlines()
    assert header == "clip,problem"
    assert row.startswith("r1.wav,")
    assert "r1.wav" in result.rejected[0][1]


def test_faults_between_channels_are_left_out_of_mono(tmp_path: Path) -> None:
    source = recordings(tmp_path / "in", 4)  # two mono, two stereo
    settings = DatasetSettings(("polarity",))
    result = dataset.render_dataset(dataset.corpus_at(source), settings, PAIRED, tmp_path / "out")
    assert result.left_out == {"polarity": 2}
    assert {row["clip"] for row in result.rows} == {"r1.wav", "r3.wav"}  # no clean clip without a pair
    mono = dataset.corpus_at(source / "r0.wav")
    with pytest.raises(CorpusError, match=r"nothing to render: 1 views were left out .*polarity needs 2 channels"):
        dataset.render_dataset(mono, settings, PAIRED, tmp_path / "none")
    assert dataset.render_dataset(mono, SETTINGS, PAIRED, tmp_path / "none").fresh == 3  # nothing there to protect


def test_when_nothing_can_be_read_the_first_problem_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no audio")
    with pytest.raises(CorpusError, match=r"1 clips could not be read, the first, a\.wav: .*a\.wav"):
        dataset.render_dataset(dataset.corpus_at(tmp_path / "a.wav"), SETTINGS, PAIRED, tmp_path / "out")


def test_a_full_disk_is_no_bad_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = dataset.corpus_at(recordings(tmp_path / "in", 3))
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match=r"the disk is full; .*Run again"):
        dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out")
    monkeypatch.setattr(Path, "write_bytes", write)
    assert dataset.render_dataset(corpus, SETTINGS, PAIRED, tmp_path / "out").fresh == 9
