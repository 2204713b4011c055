"""What is named on a command line: files, folders, patterns and lists, each real file once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from archive_server import serving

from contrastive_artifacts.core import web
from contrastive_artifacts.core.errors import CorpusError, ParameterError
from contrastive_artifacts.data.corpora.archive_org import folder, service
from contrastive_artifacts.scan.inputs import gather, is_one_file


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Relative path of a folder with media files and what else lies in such folders."""
    names = ["a.wav", "b/a.wav", "b/c.MOV", "b/notes.txt", ".hidden.wav", "b/._c.MOV", "@odd.wav", "x[1].wav"]
    for name in names:
        path = tmp_path / "films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "films" / "b" / "loop").symlink_to("..", target_is_directory=True)
    (tmp_path / "films" / "again.wav").symlink_to("a.wav")
    monkeypatch.chdir(tmp_path)
    return Path("films")


def names(*words: str) -> list[str]:
    return [str(path) for path in gather(words).files]


def test_a_folder_is_walked_as_that_of_a_corpus(films: Path) -> None:
    assert names("films") == ["films/@odd.wav", "films/a.wav", "films/b/a.wav", "films/b/c.MOV", "films/x[1].wav"]
    assert (
        gather(["films"]).left_out == "5 of 7 files; not read: 1 .txt (no media), 1 .wav (link to another of the files)"
    )


def test_a_file_named_twice_is_scanned_once(films: Path) -> None:
    first = names("films/b/a.wav", "films", "films/a.wav", str(films.absolute()), "films/**/*.wav")
    assert first[0] == "films/b/a.wav"
    assert sorted(first) == names("films")


def test_patterns_take_media_files_and_folders(films: Path) -> None:
    assert names("films/b/*.*") == ["films/b/a.wav", "films/b/c.MOV"]
    assert {os.path.realpath(name) for name in names("films/b/*")} == {os.path.realpath(n) for n in names("films")}
    assert names("films/**/c*") == names("**/c*") == names("f*/**/b/**/c.*") == ["films/b/c.MOV"]
    assert names("films/**") == names("**/*.*") == names("films")
    assert names("films/x[1].wav") == ["films/x[1].wav"], "a file of that name is that file"
    with pytest.raises(ParameterError, match=r"films/\*\.mkv: no file matches"):
        gather(["films/*.mkv"])
    with pytest.raises(CorpusError, match=r"no audio file under films/b/\*\.txt \(0 of 1 files; not read: 1 \.txt"):
        gather(["films/b/*.txt"])


def test_a_list_has_a_path_on_each_line(films: Path) -> None:
    Path("list").write_bytes(b"\xef\xbb\xbffilms/x[1].wav\r\n\n films/no such.wav\nfilms/b\nfilms/x[1].wav\n\xff.wav\n")
    assert names("@list")[:2] == ["films/x[1].wav", " films/no such.wav"]
    assert len(names("@list")) == 2 + 5 - 1 + 1
    assert names("@list")[-1] == "\udcff.wav"
    with pytest.raises(ParameterError, match=r"@nolist: the list cannot be read \(No such file"):
        gather(["@nolist"])


def test_results_lie_below_the_folder_that_holds_all(films: Path) -> None:
    inputs = gather(["films"])
    assert inputs.root == films.absolute()
    assert inputs.relative(Path("films/b/a.wav")) == "b/a.wav"
    assert gather(["films/b/c.MOV"]).root == (films / "b").absolute()
    Path("other.wav").touch()
    inputs = gather(["films/b", "other.wav"])
    assert [inputs.relative(path) for path in inputs.files][-1] == "other.wav"
    relative = [inputs.relative(path) for path in inputs.files]
    assert len(set(relative)) == len(relative)


def test_one_file_is_no_folder_pattern_or_list(films: Path) -> None:
    for word in ("films/a.wav", "nowhere.wav", "films/x[1].wav"):
        assert is_one_file([word])
    for words in (["films"], ["films/*.wav"], ["@list"], ["films/a.wav", "films/b/a.wav"]):
        assert not is_one_file(words)
    Path("@odd.wav").touch()
    assert is_one_file(["@odd.wav"])
    assert not is_one_file(["ia:tape"])
    Path("ia:tape").touch()
    assert is_one_file(["ia:tape"]), "a file of that name is that file"


def test_items_of_archive_org_are_downloaded_beside_other_inputs(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSE_S", 0.0)
    monkeypatch.setattr(web, "PAUSE_S", 0.0)
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(films.absolute().parent / "cache"))
    Path("list").write_text("ia:tape\nia:nothing\nother.wav\n")
    with serving() as server:
        monkeypatch.setenv(service.ADDRESS_VARIABLE, server.url)
        server.add("tape", "d/1.wav", b"1")
        server.add("tape", "2[x].wav", b"2")
        inputs = gather(["films", "ia:tape/2[x].wav", "@list"])
        with pytest.raises(CorpusError, match=r"nothing to scan: There is no item nothing on archive\.org"):
            gather(["ia:nothing"])
    relative = [inputs.relative(path) for path in inputs.files]
    assert relative[:-3] == [inputs.relative(path) for path in gather(["films", "other.wav"]).files[:-1]]
    assert relative[-3:] == ["archive.org/tape/2[x].wav", "archive.org/tape/d/1.wav", "other.wav"]
    assert inputs.root == films.absolute().parent
    assert {path.read_bytes() for path in inputs.items} == {b"1", b"2"}
    assert list(inputs.problems) == ["ia:nothing"]
    alone = gather(["ia:tape"])
    assert (alone.root, [alone.relative(path) for path in alone.files]) == (folder(), relative[-3:-1])
