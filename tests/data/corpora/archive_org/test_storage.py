"""Downloads of items: chosen, checked, resumed, used offline; names that lead elsewhere do not."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from archive_server import ArchiveServer
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.core import web
from contrastive_artifacts.core.errors import (
    ArtifactsError,
    CorpusError,
    DownloadError,
    ParameterError,
    StorageError,
    UnwritableError,
)
from contrastive_artifacts.core.lock import locked
from contrastive_artifacts.data.corpora.archive_org import folder, recordings, service
from contrastive_artifacts.data.corpora.archive_org.storage import local_path

BODY = bytes(range(256)) * 2000


def names(word: str) -> list[str]:
    return [recording.name for recording in recordings(word)]


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(service.ADDRESS_VARIABLE, "http://127.0.0.1:9")


def test_an_item_is_downloaded_once_with_a_record_of_the_choice(server: ArchiveServer) -> None:
    server.add("tape", "side a/1.wav", BODY)
    server.add("tape", "side a/1.mp3", b"lossy", "derivative", original="side a/1.wav")
    server.add("tape", "2.flac", b"second")
    for _ in range(2):
        assert [(r.path.read_bytes(), r.title) for r in recordings("ia:tape")] == [
            (b"second", "ia:tape/2.flac"),
            (BODY, "ia:tape/side a/1.wav"),
        ]
    assert server.paths == ["/metadata/tape", "/download/tape/2.flac", "/download/tape/side a/1.wav"]
    assert all(headers["user-agent"].startswith("contrastive-artifacts/") for _, headers in server.asked)
    record = json.loads((folder("tape") / ".item.json").read_text())
    assert record["chosen"]["side a/1.wav"] == "original; other files of this recording: 1"
    assert sorted(path.name for path in folder("tape").rglob("*") if path.is_file()) == [
        ".item.json",
        "1.wav",
        "2.flac",
    ]


def test_one_file_of_an_item(server: ArchiveServer) -> None:
    server.add("tape", "a/1.wav", BODY)
    server.add("tape", "a/1.mp3", b"lossy", "derivative", original="a/1.wav")
    (recording,) = recordings("ia:tape/a/1.mp3")
    assert (recording.path.read_bytes(), recording.reason) == (b"lossy", "named (derivative)")
    assert names("ia:tape") == ["a/1.wav"], "the choice of the whole item is another one"
    with pytest.raises(CorpusError, match=r"no file 'a/2\.wav'\. Did you mean a/1\.wav"):
        recordings("ia:tape/a/2.wav")


def test_a_cut_connection_is_resumed_also_later(server: ArchiveServer) -> None:
    server.add("tape", "1.wav", BODY)
    server.cuts = [100_000, 50_000]
    assert recordings("ia:tape")[0].path.read_bytes() == BODY
    ranges = [headers.get("range") for path, headers in server.asked if path.startswith("/download")]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    server.add("other", "1.wav", BODY)
    server.cuts = [100_000, *[0] * (web.ATTEMPTS - 1)]
    with pytest.raises(DownloadError, match=r"ia:other/1\.wav.*closed after 100000 of 512000 bytes.*put the file at"):
        recordings("ia:other")
    assert recordings("ia:other")[0].path.read_bytes() == BODY
    assert server.asked[-1][1]["range"] == "bytes=100000-"


def test_wrong_md5_and_wrong_size_are_refused(server: ArchiveServer) -> None:
    server.add("tape", "1.wav", BODY, md5="0" * 32)
    server.add("long", "1.wav", BODY, size="7")
    with pytest.raises(DownloadError, match=r"has md5 [0-9a-f]{32}, 0{32} was expected"):
        recordings("ia:tape")
    with pytest.raises(DownloadError, match=r"offers 512000 bytes for the ia:long/1\.wav, 7 were expected"):
        recordings("ia:long")
    assert not list(folder().rglob("*.wav*"))


def test_an_item_that_has_changed_meanwhile_is_asked_for_again(server: ArchiveServer) -> None:
    server.add("tape", "1.wav", BODY)
    server.cuts = [1000] * web.ATTEMPTS
    with pytest.raises(DownloadError):
        recordings("ia:tape")
    server.items.clear()
    server.add("tape", "1.wav", BODY[::-1])
    assert recordings("ia:tape")[0].path.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_waited_for(
    server: ArchiveServer, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.add("tape", "1.wav", BODY)
    server.refusals = [
        (status, {"Retry-After": "7"}),
        (503, {}),
        (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    ]
    assert names("ia:tape") == ["1.wav"]
    assert max(pauses) == 7
    server.refusals = [(503, {"Retry-After": "9"})] * (2 * web.ATTEMPTS)
    with pytest.raises(DownloadError, match=r"/metadata/b cannot be reached: HTTP Error 503"):
        recordings("ia:b")
    assert len(server.refusals) == web.ATTEMPTS
    server.refusals = [(503, {"Retry-After": "86400"})]
    with pytest.raises(DownloadError, match="asks to wait 86400 s, try again after that"):
        recordings("ia:b")


def test_requests_are_a_pause_apart(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(service, "PAUSE_S", 1000.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.add("tape", "1.wav", BODY)
    server.add("tape", "2.wav", BODY)
    recordings("ia:tape")
    assert len(pauses) == 3
    assert min(pauses[1:]) > 900


def test_items_that_are_not_offered_say_why(server: ArchiveServer) -> None:
    server.add("dark", "1.wav", BODY)
    server.items["dark"]["is_dark"] = True
    server.add("lent", "1.wav", BODY)
    server.items["lent"]["metadata"]["access-restricted-item"] = ["true"]
    server.add("all", "logo.jpg", BODY)
    server.items["all"]["metadata"]["mediatype"] = "collection"
    server.add("book", "1.pdf", BODY)
    expected = {
        "dark": "ia:dark is dark: archive.org has taken it down",
        "lent": "ia:lent is restricted",
        "all": "is a collection; search for its items: collection:all",
        "book": "no audio or video file",
        "nothing": "There is no item nothing on",
    }
    for item, message in expected.items():
        with pytest.raises(CorpusError, match=message):
            recordings(f"ia:{item}")
    for name in ("", "/etc/passwd", "..", "a b", "x" * 101, "http://archive.org"):
        with pytest.raises(ParameterError, match=r"is no identifier of archive\.org"):
            recordings(f"ia:{name}")


def test_offline_says_what_to_put_where_and_uses_it(monkeypatch: pytest.MonkeyPatch, server: ArchiveServer) -> None:
    unreachable(monkeypatch)
    with pytest.raises(DownloadError) as problem:
        recordings("ia:tape")
    assert "http://127.0.0.1:9/metadata/tape cannot be reached" in str(problem.value)
    assert f"of http://127.0.0.1:9/download/tape/ elsewhere and put them into {folder('tape')}." in str(problem.value)
    assert not folder("tape").exists()
    with pytest.raises(
        DownloadError, match=rf"download/tape/b/2%201\.wav elsewhere and put it at {folder('tape')}/b/2 1\.wav"
    ):
        recordings("ia:tape/b/2 1.wav")
    (folder("tape") / "b").mkdir(parents=True)
    (folder("tape") / "b" / "2 1.wav").write_bytes(BODY)
    (folder("tape") / "notes.txt").write_bytes(BODY)
    for word in ("ia:tape", "ia:tape/b/2 1.wav"):
        (recording,) = recordings(word)
        assert (recording.name, recording.reason) == ("b/2 1.wav", "put there by hand, not checked")


def test_a_file_put_there_by_hand_is_checked_where_the_item_is_known(
    monkeypatch: pytest.MonkeyPatch, server: ArchiveServer
) -> None:
    server.add("tape", "1.wav", BODY)
    server.cuts = [1000] * web.ATTEMPTS
    with pytest.raises(DownloadError):
        recordings("ia:tape")
    address = service.file_url("tape", "1.wav").replace(server.url, "http://127.0.0.1:9")
    unreachable(monkeypatch)
    with pytest.raises(
        DownloadError, match=rf"download {address} elsewhere and put the file at {folder('tape')}/1\.wav"
    ):
        recordings("ia:tape")
    (folder("tape") / "1.wav").write_bytes(BODY[::-1])
    with pytest.raises(DownloadError, match=r"has md5 .* Delete .*1\.wav and try again"):
        recordings("ia:tape")
    (folder("tape") / "1.wav").write_bytes(BODY)
    assert names("ia:tape") == ["1.wav"]


def test_a_full_disk_is_an_error_before_the_download(server: ArchiveServer) -> None:
    server.add("tape", "1.wav", BODY, size=str(10**17))
    with pytest.raises(UnwritableError, match=r"the download needs 100000000\.000 GB; free space, or name a folder"):
        recordings("ia:tape")
    assert server.paths == ["/metadata/tape"]


def test_answers_that_are_no_metadata_are_errors(server: ArchiveServer) -> None:
    for answer in ([], {"error": "down"}, 7):
        server.items["tape"] = answer  # type: ignore[assignment]
        with pytest.raises(DownloadError, match=r"/metadata/tape (does not answer with|answers with an error)"):
            recordings("ia:tape")
    for answer in ({"files": 3}, {"files": [None, {"name": 3}]}, {"metadata": [], "files": {"a": 1}}):
        server.items["tape"] = answer
        with pytest.raises(CorpusError, match="no audio or video file"):
            recordings("ia:tape")


def test_one_process_downloads_an_item(server: ArchiveServer) -> None:
    server.add("tape", "1.wav", BODY)
    folder("tape").mkdir(parents=True)
    (folder("tape") / ".item.json").write_text('{"files": 3}')
    with pytest.raises(CorpusError, match=r"\.item\.json is no record of an item; delete it"):
        recordings("ia:tape")
    (folder("tape") / ".item.json").unlink()
    problems: list[BaseException] = []

    def other() -> None:
        try:
            recordings("ia:tape")
        except ArtifactsError as error:
            problems.append(error)

    with locked(folder("tape"), "downloading"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert isinstance(problems[0], StorageError)
    assert "is in use by process" in str(problems[0])


HOSTILE = [
    *(
        "../../escaped.wav",
        "/etc/escaped.wav",
        "a/../../../b.wav",
        "a//b.wav",
        "./a.wav",
        ".hidden/a.wav",
        ".item.json",
    ),
    *("C:\\windows\\a.wav", "a\x00b.wav", "a\nb.wav", "\x1b[31m.wav", "\u202egnp.wav", "\ud800.wav", "..", "/", "a/"),
    *("x" * 300 + ".wav", "/".join("y" * 100 for _ in range(60)) + ".wav", "\U0001f600" * 70 + ".wav", "." * 300),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    path = local_path(tmp_path, name)
    assert path.parent == tmp_path
    assert path.name == path.name.encode("ascii").decode()
    assert len(path.name) < 150
    assert not path.name.startswith(".")
    path.write_bytes(b"")
    assert path.resolve() == tmp_path.resolve() / path.name


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_name_is_a_file_below_the_folder_and_no_other_ones(name: str, other: str) -> None:
    home = Path("/home/item")
    path = local_path(home, name)
    assert Path(*path.parts[:3]) == home
    assert len(path.parts) > 3
    assert not any(part.startswith(".") or len(part.encode()) > 200 for part in path.parts)
    assert name == other or local_path(home, other) != path


def test_hostile_names_are_downloaded(server: ArchiveServer) -> None:
    hostile = ["../../escaped.wav", "a\nb.wav", "x" * 300 + ".wav", "[bold]100% #1?&.wav", "tête-à-tête/\U0001f600.wav"]
    for number, name in enumerate(hostile):
        server.add("tape", name, b"%d" % number)
    downloaded = recordings("ia:tape")
    assert {r.name: r.path.read_bytes() for r in downloaded} == {name: b"%d" % n for n, name in enumerate(hostile)}
    assert all(recording.path.is_relative_to(folder("tape")) for recording in downloaded)
    assert "\n" not in "".join(quote(path, safe="/ ") for path in server.paths)
    assert recordings("ia:tape") == downloaded
