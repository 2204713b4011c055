"""The loader against a small archive of the official layout."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core import download
from contrastive_artifacts.core.errors import CorpusError, ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Clip, esc50

ROWS = [  # name, fold, target, category, esc10, source
    ("1-100032-A-0", 1, 0, "dog", True, "100032"),
    ("2-100786-A-1", 2, 1, "rooster", True, "100786"),
    ("3-100018-A-18", 3, 18, "toilet_flush", False, "100018"),
    ("3-100018-B-18", 3, 18, "toilet_flush", False, "100018"),
    ("5-9032-A-0", 5, 0, "dog", True, "9032"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root = tmp_path / "ESC-50-master"
    for number, (name, *_) in enumerate(ROWS):
        audio.write(root / "audio" / f"{name}.wav", np.full((1, 50 + number), 0.1, np.float32), 44_100, "PCM_16")
    lines = [f"{name}.wav,{fold},{target},{cat},{ten},{src},A" for name, fold, target, cat, ten, src in ROWS]
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join(["filename,fold,target,category,esc10,src_file,take", *lines]))
    return root


def zipped(copy: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as bundle:
        for path in sorted(copy.rglob("*")):
            bundle.write(path, Path(copy.name) / path.relative_to(copy))
        bundle.writestr("ESC-50-master/audio/../../../escaped.wav", b"x")
        bundle.writestr("ESC-50-master/setup.py", b"x")
    return target


def test_folder_with_the_official_table(copy: Path) -> None:
    corpus = corpora.create("esc50", path=copy)
    assert [clip.id for clip in corpus.clips] == [name for name, *_ in ROWS]
    assert corpus.clips[2] == Clip(
        "3-100018-A-18", "freesound:100018", "toilet_flush", 3, copy / "audio" / "3-100018-A-18.wav"
    )
    assert corpus.name == "esc50"
    assert corpus.load(corpus.clips[4])[0].shape == (1, 54)


def test_subset_and_folds(copy: Path) -> None:
    assert len(corpora.create("esc50", path=copy, subset="esc10").clips) == 3
    assert [c.id for c in corpora.create("esc50", path=copy, subset="esc10", folds=[5, 1]).clips] == [
        "1-100032-A-0",
        "5-9032-A-0",
    ]
    with pytest.raises(CorpusError, match=r"no clip of esc10 in the folds \[3\]"):
        corpora.create("esc50", path=copy, subset="esc10", folds=[3])
    with pytest.raises(ParameterError, match="none of esc50, esc10"):
        corpora.create("esc50", path=copy, subset="esc")


def test_names_alone_say_the_same_as_the_table(copy: Path) -> None:
    by_table = corpora.create("esc50", path=copy)
    by_name = corpora.create("esc50", path=copy / "audio")
    assert by_name.clips == by_table.clips
    flac = copy.parent / "flac"
    for clip in by_table.clips:
        audio.write(flac / f"{clip.id}.flac", *by_table.load(clip), subtype="PCM_16")
    (flac / "other-file.flac").write_bytes(b"")
    copied = corpora.create("esc50", path=flac)
    assert [(c.id, c.source, c.category, c.fold) for c in copied.clips] == [
        (c.id, c.source, c.category, c.fold) for c in by_table.clips
    ]


def test_archive_is_unpacked_once_and_only_into_its_place(copy: Path, tmp_path: Path) -> None:
    archive = zipped(copy, tmp_path / "master.zip")
    corpus = corpora.create("esc50", path=archive, cache=tmp_path / "x" / "cache")
    assert [clip.id for clip in corpus.clips] == [name for name, *_ in ROWS]
    assert corpus.fingerprint == corpora.create("esc50", path=copy).fingerprint
    outside = [p for p in tmp_path.rglob("escaped.wav") if p.parent.name != "audio"]
    assert not outside
    assert not list(tmp_path.rglob("setup.py"))
    stamp = corpus.clips[0].path.stat().st_mtime_ns  # type: ignore[union-attr]
    again = corpora.create("esc50", path=archive, cache=tmp_path / "x" / "cache")
    assert again.clips[0].path.stat().st_mtime_ns == stamp  # type: ignore[union-attr]
    assert len(list((tmp_path / "x" / "cache").iterdir())) == 1


def test_download_is_cached_then_unpacked(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, target: Path, size: int, sha256: str, what: str) -> Path:
        asked.append((url, size, len(sha256)))
        target.parent.mkdir(parents=True, exist_ok=True)
        return zipped(copy, target)

    monkeypatch.setattr(download, "fetch", fetch)
    assert len(corpora.create("esc50", cache=tmp_path / "cache", subset="esc10").clips) == 3
    assert asked == [(esc50.__globals__["URL"], 645_832_161, 64)]


def test_offline_names_the_address_and_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(esc50.__globals__, "URL", "http://127.0.0.1:9/ESC-50.zip")
    with pytest.raises(CorpusError, match=r"http://127\.0\.0\.1:9/ESC-50\.zip .*put the file at .*cache.*path="):
        corpora.create("esc50", cache=tmp_path / "cache")


def test_copies_that_are_incomplete_are_named(copy: Path, tmp_path: Path) -> None:
    (copy / "audio" / "5-9032-A-0.wav").unlink()
    with pytest.raises(CorpusError, match=r"lacks 1 files of esc50.csv, the first is 5-9032-A-0\.wav"):
        corpora.create("esc50", path=copy)
    with pytest.raises(CorpusError, match="does not exist"):
        corpora.create("esc50", path=tmp_path / "gone")
    (tmp_path / "bad.zip").write_bytes(b"PK no archive")
    with pytest.raises(CorpusError, match=r"bad\.zip cannot be unpacked .*download https://"):
        corpora.create("esc50", path=tmp_path / "bad.zip", cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    (tmp_path / "plain").mkdir()
    audio.write(tmp_path / "plain" / "a.wav", np.zeros(5), 8000)
    with pytest.raises(CorpusError, match=r"neither meta/esc50\.csv nor"):
        corpora.create("esc50", path=tmp_path / "plain")


def test_classes() -> None:
    names = esc50.__globals__["CATEGORIES"]
    assert len(names) == 50
    assert max(Counter(names).values()) == 1
    assert {names[target] for target in esc50.__globals__["ESC10"]} == {
        *("dog", "rooster", "rain", "sea_waves", "crackling_fire"),
        *("crying_baby", "sneezing", "clock_tick", "helicopter", "chainsaw"),
    }
