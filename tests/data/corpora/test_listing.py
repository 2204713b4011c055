"""What of a folder is listed, and what is said of the rest."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import CorpusError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora.listing import listing


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in listing(root).files]


def test_a_healthy_folder_is_listed_as_before(tmp_path: Path) -> None:
    root = fill(tmp_path, "b/x.wav", "b.wav", "B.WAV", "a/2.flac", "a/10.mp3", "a b/ä.ogg", "a/deep/er/1.opus", "z.mkv")
    expected = sorted(p for p in root.rglob("*") if p.suffix.lower() in audio.EXTENSIONS and p.is_file())
    assert list(listing(root).files) == expected
    assert listing(root).left_out() == ""
    corpus = corpora.create("folder", path=root, name="c")
    assert [clip.id for clip in corpus.clips] == [path.relative_to(root).as_posix() for path in expected]
    assert corpus.fingerprint == "5d5fc9cc01a19e6d"


def test_every_suffix_that_the_decoders_read(tmp_path: Path) -> None:
    root = fill(tmp_path, *(f"x{suffix}" for suffix in audio.EXTENSIONS))
    assert len(names(root)) == len(audio.EXTENSIONS)
    assert {
        ".mxf",
        ".m4b",
        ".3gp",
        ".wmv",
        ".wma",
        ".asf",
        ".aifc",
        ".f4v",
        ".wv",
        ".ogv",
        ".tta",
        ".spx",
    } <= audio.EXTENSIONS


def test_hidden_files_and_folders_are_left_out_without_a_word(tmp_path: Path) -> None:
    root = fill(tmp_path / ".hidden root", "a.wav", "._a.wav", ".b.wav", ".Trashes/501/c.wav", "__MACOSX/._a.wav",
                "x/.y/z.wav", "__MACOSX/a.wav", ".DS_Store", "$RECYCLE.BIN/d.wav", "x/b.wav")  # fmt: skip
    assert names(root) == ["a.wav", "x/b.wav"]
    assert listing(root).left_out() == ""


def test_links_are_followed_once(tmp_path: Path) -> None:
    root, other = fill(tmp_path / "root", "b/one.wav", "b/two.wav"), fill(tmp_path / "other", "three.wav", "four.wav")
    (root / "a").symlink_to(root / "b")  # another way to the same folder, that sorts first
    (root / "b" / "loop").symlink_to(root)
    (root / "c").symlink_to(other)
    (root / "d").symlink_to(other)
    (other / "self").symlink_to(other)
    (root / "again.wav").symlink_to(root / "b" / "one.wav")
    (root / "gone.wav").symlink_to(root / "nothing.wav")
    assert names(root) == ["b/one.wav", "b/two.wav", "c/four.wav", "c/three.wav"]
    assert listing(root).left_out() == (
        "4 of 6 files; not read: 1 .wav (link to another of the files), 1 .wav (no file)"
    )


def test_what_was_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audio.write(tmp_path / "a.wav", np.zeros((1, 100)), 8000)
    fill(tmp_path, "notes.TXT", "b.txt", "README", "locked/c.wav")
    os.chmod(tmp_path / "locked", 0)
    try:
        readable = os.access(tmp_path / "locked", os.R_OK)  # by root
        with caplog.at_level(logging.WARNING):
            corpus = corpora.create("folder", path=tmp_path)
    finally:
        os.chmod(tmp_path / "locked", 0o700)
    count, folder = (2, "") if readable else (1, ", 1 folder (permission)")
    expected = f"{count} of {count + 3} files; not read: 2 .txt (no media){folder}, 1 without suffix (no media)"
    assert corpus.left_out == expected
    assert caplog.messages == [f"{tmp_path}: {expected}"]


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.wav", "locked/b.wav", "x.txt")
    scandir = os.scandir

    def denied(path: str) -> object:
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert listing(tmp_path).left_out() == "1 of 2 files; not read: 1 .txt (no media), 1 folder (permission)"
    with pytest.raises(
        CorpusError, match=r"no audio file under .* \(0 of 0 files; not read: 1 folder \(permission\)\)"
    ):
        corpora.create("folder", path=tmp_path / "locked")
