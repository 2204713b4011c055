"""Each layout is read back as its readers do: the tree by its manifest, AudioFolder by metadata.csv, shards by tar."""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError, UnknownNameError
from contrastive_artifacts.data import dataset
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.data.dataset import DatasetSettings
from contrastive_artifacts.data.dataset.formats import WebDataset

SETTINGS = DatasetSettings(("hum", "dropout"))


def rendered(corpus: Corpus, layout: dataset.Layout, out: Path) -> tuple[dict[str, str], list[dict]]:
    """Half of the clips for each of two sides, and the rows of the manifest."""
    sides = {clip.id: "test" if number % 3 == 0 else "train" for number, clip in enumerate(corpus.clips)}
    dataset.render_dataset(corpus, SETTINGS, layout, out, sides)
    return sides, pq.read_table(out / "manifest.parquet").to_pylist()


def test_paired_has_a_folder_for_each_artifact(small_corpus, tmp_path: Path) -> None:
    _, rows = rendered(small_corpus, dataset.LAYOUTS["paired"](), tmp_path / "out")
    folders = {path.name: len(list(path.glob("*.flac"))) for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"clean": 12, "hum": 12, "dropout": 12, ".render": 0}
    assert {row["file"].split("/")[0] for row in rows} == {"clean", "hum", "dropout"}
    assert all(row["clean_file"].startswith("clean/") for row in rows)


def test_audiofolder_reads_by_its_metadata(small_corpus, tmp_path: Path) -> None:
    sides, rows = rendered(small_corpus, dataset.LAYOUTS["audiofolder"](), tmp_path / "out")
    by_file = {row["file"]: row for row in rows}
    seen = Counter[str]()
    headers = set()
    for side in ("train", "test"):
        folder = tmp_path / "out" / side
        with open(folder / "metadata.csv", newline="") as stream:
            reader = csv.DictReader(stream)
            metadata = list(reader)
        headers.add(tuple(reader.fieldnames or ()))
        assert {row["file_name"] for row in metadata} == {
            str(path.relative_to(folder)) for path in folder.rglob("*.flac")
        }, "every file has its row, every row its file"
        for row in metadata:
            known = by_file[f"{side}/{row['file_name']}"]
            assert sides[row["clip"]] == row["split"] == side
            assert row["artifact"] == known["artifact"] == row["file_name"].split("/")[0]
            assert (folder / row["clean_file_name"]).is_file()
            assert float(row["severity"]) == known["severity"]
            seen[row["artifact"]] += 1
    (header,) = headers  # the loader wants equal columns in each split, and file_name before the other *_file_name
    assert header[:2] == ("file_name", "clean_file_name")
    assert "fold" not in header, "a column that is empty would have another type"
    assert seen == {"clean": 12, "hum": 12, "dropout": 12}


def test_audiofolder_without_a_split_is_all_train(small_corpus, tmp_path: Path) -> None:
    dataset.render_dataset(small_corpus, SETTINGS, dataset.LAYOUTS["audiofolder"](), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith(".")) == [
        "manifest.csv",
        "manifest.parquet",
        "train",
    ]


def test_webdataset_samples_come_whole_and_in_order(small_corpus, tmp_path: Path) -> None:
    sides, rows = rendered(small_corpus, WebDataset(views_per_tar=6), tmp_path / "out")
    shards = sorted(tmp_path.glob("out/*.tar"))
    assert [p.name for p in shards] == [
        "test-000000.tar", "test-000001.tar", "train-000000.tar", "train-000001.tar", "train-000002.tar",
    ]  # fmt: skip
    samples = []
    for path in shards:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
            assert len(members) % 3 == 0
            for index in range(0, len(members), 3):
                keys, suffixes = zip(*(m.name.split(".", 1) for m in members[index : index + 3]), strict=True)
                assert len(set(keys)) == 1
                assert suffixes == ("flac", "clean.flac", "json")
                damaged, clean, about = (tar.extractfile(m).read() for m in members[index : index + 3])
                row = json.loads(about)
                assert row["id"] == keys[0]
                assert row["file"] == f"{path.name}/{members[index].name}"
                assert sides[row["clip"]] == path.name.split("-")[0]
                x, y = (soundfile.read(io.BytesIO(data), dtype="float32")[0] for data in (clean, damaged))
                assert x.shape == y.shape == (row["samples"],)
                assert not np.array_equal(x, y)
                samples.append(row)
    assert sorted(samples, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])
    assert {row["artifact"] for row in samples} == {"hum", "dropout"}
    loaded, _ = small_corpus.load(small_corpus.clips[0])
    assert len(samples) == 2 * len(small_corpus.clips)
    assert loaded.shape[1] == samples[0]["samples"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # datasets leaves metadata.csv open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_audiofolder_is_loaded_by_datasets(small_corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: pip install datasets")
    # datasets imports torchcodec for files that it only names, too; here they are not decoded.
    for name in ("torchcodec", "torchcodec.encoders"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["torchcodec.encoders"], "AudioEncoder", None, raising=False)
    monkeypatch.setattr(datasets.config, "TORCHCODEC_AVAILABLE", False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    out = tmp_path / "out"
    _, rows = rendered(small_corpus, dataset.LAYOUTS["audiofolder"](), out)
    by_file = {row["file"]: row for row in rows}
    loaded = datasets.load_dataset("audiofolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "test"}
    damaged = 0
    for side, table in loaded.items():
        for column in ("audio", "clean"):
            table = table.cast_column(column, datasets.Audio(decode=False))
        for row in table:
            known = by_file[str(Path(row["audio"]["path"]).resolve().relative_to(out.resolve()))]
            assert Path(row["clean"]["path"]).resolve() == (out / known["clean_file"]).resolve()
            assert (row["artifact"], row["split"], row["clip"]) == (known["artifact"], side, known["clip"])
            assert row["severity"] == pytest.approx(known["severity"])
            damaged += row["artifact"] != "clean"
    assert damaged == sum(row["artifact"] != "clean" for row in rows) > 0


def test_a_shard_of_bad_files_alone_does_not_come_to_be(tmp_path: Path) -> None:
    audio.write(tmp_path / "in" / "b.wav", np.full((1, 800), 0.1, np.float32), 8000)
    (tmp_path / "in" / "a.wav").write_bytes(b"no audio")
    corpus = dataset.corpus_at(tmp_path / "in")
    result = dataset.render_dataset(corpus, SETTINGS, WebDataset(views_per_tar=1), tmp_path / "out")
    assert [p.name for p in tmp_path.glob("out/*.tar")] == ["data-000001.tar"]
    assert len(result.rows) == 2
    assert result.rejected[0][0] == "a.wav"


def test_unknown_layouts_and_empty_shards_are_named() -> None:
    with pytest.raises(UnknownNameError, match="webdataset"):
        dataset.LAYOUTS["webdatset"]
    with pytest.raises(ParameterError, match="one view or more"):
        WebDataset(views_per_tar=0)
