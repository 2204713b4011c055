"""Items of archive.org, named or searched for, as a corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from archive_server import ArchiveServer

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import CorpusError, ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora.archive_org import service


@pytest.fixture
def items(server: ArchiveServer, tmp_path: Path) -> ArchiveServer:
    """Items a (two tracks), b (one) and c (none), with their waveforms of 100, 101 and 102 samples."""
    for number, (item, name) in enumerate([("a", "1.wav"), ("a", "d/2.wav"), ("b", "1.wav")]):
        path = audio.write(tmp_path / "x.wav", np.full((1, 100 + number), 0.1, np.float32), 8000) or tmp_path / "x.wav"
        server.add(item, name, path.read_bytes())
    server.add("c", "text.pdf", b"")
    return server


def test_clips_of_an_item_have_it_as_their_source(items: ArchiveServer) -> None:
    corpus = corpora.create("archive_org", items=["a", "b/1.wav", "a/1.wav"])
    assert [(clip.id, clip.source) for clip in corpus.clips] == [
        ("a/1.wav", "ia:a"),
        ("a/d/2.wav", "ia:a"),
        ("b/1.wav", "ia:b"),
    ]
    assert [corpus.load(clip)[0].shape[1] for clip in corpus.clips] == [100, 101, 102]
    assert corpora.split(corpus.clips, {"train": 0.5, "test": 0.5}).keys() == {"train", "test"}
    with pytest.raises(CorpusError, match="ia:c has no audio"):
        corpora.create("archive_org", items=["a", "c"])


def test_a_search_leaves_out_items_without_sound_and_stays(
    items: ArchiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = corpora.create("archive_org", search="collection:x AND year:[1930 TO 1940]")
    assert [clip.id for clip in corpus.clips] == ["a/1.wav", "a/d/2.wav", "b/1.wav"]
    assert corpus.left_out.startswith("1 items of the search: ia:c has no audio")
    assert "ia:c has no audio" in caplog.text
    items.items.clear()
    items.add("d", "1.wav", b"")
    again = corpora.create("archive_org", search="collection:x AND year:[1930 TO 1940]")
    assert again.fingerprint == corpus.fingerprint


def test_a_search_has_a_limit(items: ArchiveServer, caplog: pytest.LogCaptureFixture) -> None:
    assert len(corpora.create("archive_org", search="x", limit=1).clips) == 2
    assert "x: the first 1 of 3 items (limit=)" in caplog.text
    for limit in (0, 10_001):
        with pytest.raises(ParameterError, match=f"limit={limit}: ask for 1 to 10000"):
            corpora.create("archive_org", search="x", limit=limit)


def test_wrong_use_and_trouble_are_named(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for options in ({}, {"items": ["a"], "search": "x"}):
        with pytest.raises(ParameterError, match="Give either items="):
            corpora.create("archive_org", **options)
    with pytest.raises(CorpusError, match="'nothing' gives no item with sound"):
        corpora.create("archive_org", search="nothing")
    server.add("c", "text.pdf", b"")
    with pytest.raises(CorpusError, match="None of the 1 items of the search can be used; the first problem: ia:c"):
        corpora.create("archive_org", search="pdf")
    monkeypatch.setenv(service.ADDRESS_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(CorpusError, match=r"advancedsearch\.php.* cannot be reached"):
        corpora.create("archive_org", search="y")
    with pytest.raises(CorpusError, match="elsewhere and put them into"):
        corpora.create("archive_org", items=["a"])
    monkeypatch.setenv(service.ADDRESS_VARIABLE, "file:///etc/passwd")
    with pytest.raises(ParameterError, match="begins with https:// or http://"):
        corpora.create("archive_org", items=["a"])
