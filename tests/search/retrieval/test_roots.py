"""An index opens only recordings in folders that its user gave or embedded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.download import CACHE_VARIABLE
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.embedding.embedder import Embedding
from contrastive_artifacts.embedding.table import make_table, recording_rows
from contrastive_artifacts.search.retrieval import OutsideRootsError, Roots, index_table, record_roots, roots_of
from contrastive_artifacts.search.retrieval.roots import RECORD


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder, with the key, of this test alone."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_only_files_under_the_roots_are_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "films" / "reel", tmp_path / "private"
    for folder in (inside, outside, tmp_path / "films2"):
        folder.mkdir(parents=True)
        (folder / "a.wav").write_bytes(b"")
    (inside / "link.wav").symlink_to(outside / "a.wav")
    (inside / "folder").symlink_to(outside)
    (outside / "back.wav").symlink_to(inside / "a.wav")
    roots = Roots([tmp_path / "films"])
    for path in (inside / "a.wav", inside / "gone.wav", inside / ".." / "reel" / "a.wav", outside / "back.wav"):
        assert path in roots
        assert roots.file(path) == path.resolve()
    for path in (outside / "a.wav", inside / "link.wav", inside / "folder" / "a.wav", tmp_path / "films2" / "a.wav",
                 inside / ".." / ".." / "private" / "a.wav", Path("/etc/passwd"), Path("a.wav"), ""):  # fmt: skip
        assert path not in roots
        with pytest.raises(OutsideRootsError, match="roots=FOLDER"):
            roots.file(path)
    assert issubclass(OutsideRootsError, StorageError)


def test_the_folders_that_were_embedded_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data/a.wav", "data/x/b.wav", "data2/c.wav"):
        audio.write(tmp_path / name, np.zeros((1, 1000)), 8000)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "d").symlink_to(tmp_path / "data2")
    rows = []
    for corpus in (corpora.create("folder", path=tmp_path / "data"), corpora.create("folder", path=linked)):
        for clip in corpus.clips:
            embedding = Embedding(np.eye(2)[0], np.eye(2)[:1], np.array([[0, 1000]]), 8000)
            rows += recording_rows(embedding, clip, corpus.name)
    table = make_table(rows, np.ones((len(rows), 2)), "f", "h")
    index = index_table(table, tmp_path / "index", "f")
    assert set(roots_of(index.directory).folders) == {tmp_path / "index", tmp_path / "data", tmp_path / "data2"}
    assert set(roots_of(index.directory, str(tmp_path)).folders) == {tmp_path / "index", tmp_path}
    assert len(roots_of(index.directory, [str(tmp_path), "b"]).folders) == 3

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache of another user"))
    assert roots_of(index.directory).folders == (tmp_path / "index",)
    record_roots(tmp_path, [tmp_path / "a.wav"])
    assert roots_of(index.directory).folders == (tmp_path / "index",), "a key of another user"


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", "3", '{"folders": 3, "code": 3}', '{"folders": ["/"], "code": ""}', "[" * 99999]
)
def test_a_record_that_another_program_wrote_gives_no_roots(tmp_path: Path, text: str) -> None:
    record_roots(tmp_path, [tmp_path / "data" / "a.wav"])
    assert len(roots_of(tmp_path).folders) == 2
    record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps({**record, "folders": ["/"]}))
    assert roots_of(tmp_path).folders == (tmp_path,)
    (tmp_path / RECORD).write_text(text)
    assert roots_of(tmp_path).folders == (tmp_path,)


def test_the_key_is_private_and_may_be_impossible(cache: Path, tmp_path: Path) -> None:
    record_roots(tmp_path, [tmp_path / "data" / "a.wav"])
    assert (cache / "roots.key").stat().st_mode & 0o077 == 0
    (cache / "roots.key").write_bytes(b"short")
    assert roots_of(tmp_path).folders == (tmp_path,)
    (cache / "roots.key").unlink()
    cache.rmdir()
    cache.write_text("a file where the cache folder should be")
    record_roots(tmp_path, [tmp_path / "data" / "a.wav"])
    assert roots_of(tmp_path).folders == (tmp_path,)
