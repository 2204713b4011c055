"""A folder with and without a table; what does not fit is named."""

from __future__ import annotations

import csv
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import CorpusError, ParameterError, UnknownNameError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.runs import corpus_sections


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, name in enumerate(["a/one.wav", "a/two.flac", "b/three.wav"], start=1):
        audio.write(tmp_path / "set" / name, np.full((1, 100 * number), 0.1 * number, np.float32), 8000)
    (tmp_path / "set" / "notes.txt").write_text("not audio")
    return tmp_path / "set"


def table(root: Path, text: str) -> Path:
    path = root / "meta.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_file_is_a_source_without_a_table(root: Path) -> None:
    corpus = corpora.create("folder", path=root)
    assert corpus.name == "set"
    assert [(clip.id, clip.source) for clip in corpus.clips] == [
        (name, name) for name in ("a/one.wav", "a/two.flac", "b/three.wav")
    ]
    waveform, rate = corpus.load(corpus.clips[2])
    assert (waveform.shape, rate) == ((1, 300), 8000)


def test_table_gives_source_category_and_fold(root: Path) -> None:
    table(root, "filename,source_id,label,fold\na/one.wav,film,dog,1.0\na/two.flac,film,cat,\n")
    corpus = corpora.create("folder", path=root, csv="meta.csv")
    assert corpus.clips == (
        Clip("a/one.wav", "film", "dog", 1, root / "a/one.wav"),
        Clip("a/two.flac", "film", "cat", None, root / "a/two.flac"),
    )


def test_columns_template_and_filter(root: Path) -> None:
    path = table(root, "dir,clip,kind,reel,year\na,one.wav,x,r1,1.0\na,two.flac,y,r1,2\nb,three.wav,z,r2,1\n")
    options = {"csv": path, "columns": {"source": "reel", "category": "kind"}, "file": "{dir}/{clip}"}
    corpus = corpora.create("folder", path=root, **options, where={"kind": ["x", "z"]})
    assert [(c.id, c.source, c.category) for c in corpus.clips] == [
        ("a/one.wav", "r1", "x"),
        ("b/three.wav", "r2", "z"),
    ]
    assert [c.id for c in corpora.create("folder", path=root, **options, where={"year": 1, "dir": "a"}).clips] == [
        "a/one.wav"
    ]
    with pytest.raises(CorpusError, match="No row"):
        corpora.create("folder", path=root, **options, where={"kind": "q"})
    with pytest.raises(CorpusError, match="no column 'colour'"):
        corpora.create("folder", path=root, **options, where={"colour": "q"})


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("file\na/one.wav\nx.wav\ny.wav\n", {}, r"names 2 files that are not under .*: x\.wav \(row 3\), y\.wav"),
        ("file\na/one.wav\na/one.wav\n", {}, "names 1 clips twice"),
        ("name\na/one.wav\n", {}, r"no file column \(it has name\)"),
        ("file,fold\na/one.wav,first\n", {}, "row 2: the fold 'first'"),
        ("file\na/one.wav\n", {"columns": {"source": "film"}}, "no column 'film'"),
        ("file\na/one.wav\n", {"columns": {"colour": "file"}}, "'colour' is none of"),
        ("file\na/one.wav\n", {"file": "{dir}/{file}"}, "cannot be filled"),
        ("file\n", {}, "No row"),
    ],
)
def test_table_that_does_not_fit_is_explained(root: Path, text: str, options: dict, message: str) -> None:
    path = table(root, text)
    with pytest.raises(CorpusError, match=message):
        corpora.create("folder", path=root, csv=path, **options)


def test_missing_folder_empty_folder_missing_table(root: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not a folder"):
        corpora.create("folder", path=tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no audio file under"):
        corpora.create("folder", path=tmp_path / "empty")
    with pytest.raises(CorpusError, match="does not exist"):
        corpora.create("folder", path=root, csv="gone.csv")
    with pytest.raises(CorpusError, match="describe a CSV"):
        corpora.create("folder", path=root, where={"a": 1})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_may_be_separated_by_commas_semicolons_or_tabs(root: Path, delimiter: str) -> None:
    header, rows = (
        ["file", "source", "category, rough"],
        [["a/one.wav", "film; 1", "dog, small"], ["a/two.flac", "film\t2"]],
    )
    with open(root / "meta.csv", "w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([header, *rows])
    corpus = corpora.create("folder", path=root, csv="meta.csv", columns={"category": "category, rough"})
    assert [(c.id, c.source, c.category) for c in corpus.clips] == [
        ("a/one.wav", "film; 1", "dog, small"),
        ("a/two.flac", "film\t2", ""),
    ]


def test_a_column_of_another_name_is_given_as_the_message_says(root: Path) -> None:
    table(root, "clip,reel\na/one.wav,r1\n")
    section = {"kind": "folder", "path": str(root), "csv": "meta.csv"}
    with pytest.raises(CorpusError, match=r"columns=\{file: NAME\}"):
        corpus_sections.make_corpus(section)
    options = yaml.safe_load("{file: clip, source: reel}")  # hydra's corpus.columns={file: clip, source: reel}
    (clip,) = corpus_sections.make_corpus({**section, "columns": options}).clips
    assert (clip.id, clip.source) == ("a/one.wav", "r1")
    assert "columns" in yaml.safe_load((Path(__file__).parents[3] / "configs/corpus/folder.yaml").read_text())


def test_a_table_names_files_in_its_folder_only(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "secret.wav"
    audio.write(other, np.zeros((1, 100)), 8000)
    (root / "linked").symlink_to(other.parent)
    for name in (str(other), "../other/secret.wav", "a/../../other/secret.wav", "linked/../../other/secret.wav",
                 "linked/../other/secret.wav", "/etc/passwd"):  # fmt: skip
        table(root, f"file\na/one.wav\n{name}\n")
        with pytest.raises(CorpusError, match=r"names 1 files outside of .* path=FOLDER"):
            corpora.create("folder", path=root, csv="meta.csv")
    names = [str(root / "a" / "one.wav"), "b/../a/two.flac", "linked/secret.wav"]
    table(root, "file\n" + "\n".join(names))
    assert [clip.id for clip in corpora.create("folder", path=root, csv="meta.csv").clips] == names
    table(root, f"file\n{other}\n")
    (clip,) = corpora.create("folder", path=tmp_path, csv="set/meta.csv").clips
    assert clip.path == other


def test_empty_source_is_kept_for_the_split_to_refuse(root: Path) -> None:
    table(root, "file,source\na/one.wav,\n")
    assert corpora.create("folder", path=root, csv="meta.csv").clips[0].source == ""


def test_bad_file_becomes_a_named_row(root: Path) -> None:
    (root / "b" / "bad.wav").write_bytes(b"RIFF nothing")
    corpus = corpora.create("folder", path=root)
    ((name, problem),) = corpus.check()
    assert name == "b/bad.wav"
    assert "bad.wav" in problem


def test_fingerprint_follows_the_content_and_not_the_place(root: Path, tmp_path: Path) -> None:
    first = corpora.create("folder", path=root)
    shutil.copytree(root, tmp_path / "moved")
    moved = corpora.create("folder", path=tmp_path / "moved", name="set")
    assert len(first.fingerprint) == 16
    assert moved.fingerprint == first.fingerprint
    audio.write(tmp_path / "moved" / "a" / "one.wav", np.zeros((1, 5), np.float32), 8000)
    assert corpora.create("folder", path=tmp_path / "moved").fingerprint != first.fingerprint


def test_a_corpus_can_be_pickled_for_worker_processes(root: Path) -> None:
    corpus = corpora.create("folder", path=root)
    assert pickle.loads(pickle.dumps(corpus)).fingerprint == corpus.fingerprint


def test_wrong_kind_and_wrong_option() -> None:
    assert corpora.CORPORA.names() == ("folder", "esc50", "builtin", "archive_org")
    with pytest.raises(UnknownNameError, match="folder"):
        corpora.create("foldr", path=".")
    with pytest.raises(ParameterError, match="'depth'"):
        corpora.create("folder", path=".", depth=2)
    with pytest.raises(CorpusError, match="no clips"):
        Corpus("nothing", [])
    with pytest.raises(CorpusError, match="no file to load"):
        Corpus("one", [Clip("a", "a")]).load(Clip("a", "a"))
