"""Results at addresses: complete files only, what is new only, and nothing where the address cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from contrastive_artifacts.core.download import CACHE_VARIABLE
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.outbox import uploaded

pytest.importorskip("upath")


@pytest.fixture(params=["memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    yield "memory://bucket" if request.param == "memory" else f"file://{tmp_path}/bucket"
    fsspec.filesystem("memory").store.clear()


def stored(address: str) -> dict[str, bytes]:
    system, root = fsspec.url_to_fs(address)
    return {name.removeprefix(root).lstrip("/"): system.cat(name) for name in system.find(root)}


def write(folder: str, **texts: str) -> None:
    for name, text in texts.items():
        path = Path(folder, name.replace("__", "/").replace("_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_results_are_uploaded_and_what_belongs_to_the_job_stays(address: str, capsys: pytest.CaptureFixture) -> None:
    target = f"{address}/report"
    with uploaded(target, is_file=False, shared=False) as folder:
        write(folder, files_csv="a", b__film_json="{}", journal_jsonl="j", unfinished__x="half", x_parts__y="part")
        assert stored(address) == {}
    assert stored(address) == {"report/files.csv": b"a", "report/b/film.json": b"{}"}
    assert "uploaded  2 files" in capsys.readouterr().out
    with uploaded(target, is_file=False, shared=False) as again:
        assert again == folder
        assert Path(again, "journal.jsonl").read_text() == "j", "the same command goes on"
        write(again, files_csv="new")
        fsspec.url_to_fs(address)[0].rm_file(f"{fsspec.url_to_fs(target)[1]}/b/film.json")
    assert stored(address) == {"report/files.csv": b"new", "report/b/film.json": b"{}"}
    assert "uploaded  2 files" in capsys.readouterr().out
    with uploaded(target, is_file=False, shared=False):
        pass
    assert "uploaded  0 files" in capsys.readouterr().out


def test_a_file_is_uploaded_under_its_name(address: str) -> None:
    for name in ("a.parquet", "b.parquet"):
        with uploaded(f"{address}/{name}", is_file=True, shared=False) as out:
            assert Path(out).name == name
            Path(out).parent.mkdir(parents=True, exist_ok=True)
            Path(out).write_text(name)
    assert stored(address) == {"a.parquet": b"a.parquet", "b.parquet": b"b.parquet"}


def test_after_an_error_nothing_is_uploaded(address: str) -> None:
    def fail() -> None:
        with uploaded(address, is_file=False, shared=False) as folder:
            write(folder, files_csv="half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stored(address) == {}


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target, reason in ((f"file://{tmp_path}/file/out", "cannot be written"), ("nothing://a/b", "s3://")):
        with pytest.raises(ParameterError, match=reason), uploaded(target, is_file=False, shared=False):
            pytest.fail("the work began")
    with pytest.raises(ParameterError, match="one machine writes there"), uploaded("s3://a/b", False, shared=True):
        pytest.fail("the work began")


def test_a_local_folder_is_itself(tmp_path: Path) -> None:
    with uploaded(str(tmp_path / "out"), is_file=False, shared=True) as folder:
        assert folder == str(tmp_path / "out")
    assert not (tmp_path / "out").exists()
