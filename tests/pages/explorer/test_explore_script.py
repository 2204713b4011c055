"""scripts/explore.py: it opens a run or an index, prints the address of the page, and ends on Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
from explored import RELEASE, archive

from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.search.index import Index

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-u", str(ROOT / "scripts" / "explore.py"), "port=0"]


@pytest.mark.slow
def test_it_serves_until_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index: Index = archive(tmp_path).index
    with monkeypatch.context() as patched:  # saves a map, so that the script need not compile UMAP
        patched.setattr(layout, "umap_2d", lambda x, seed: x[:, :2])
        layout.layout_of(Index.open(index.directory))
    process = subprocess.Popen(
        [*COMMAND, f"index={index.directory}", f"encoder={RELEASE}", "who=ana"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        first = next(lines)
        assert first.startswith("page"), "the address comes first"
        page = first.split()[1]
        assert next(lines).startswith("opening"), "and what is being done"
        with urllib.request.urlopen(f"{page}api/about") as answer:
            about = json.load(answer)
        assert (about["count"], about["who"], about["title"]) == (len(index), "ana", "Explore index")
        assert (tmp_path / "index.labels.jsonl").exists()
        second = subprocess.run(
            [*COMMAND, f"index={index.directory}", f"encoder={RELEASE}"], capture_output=True, text=True, timeout=120
        )
        assert second.returncode == 1
        assert "in use by another process" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert f"ready     {len(index)} rows after" in process.stdout.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "either run=DIR"),
        (["run=a", "index=b"], "either run=DIR"),
        (["run=a", "encoder=release"], "its own encoder"),
        (["run=nothing"], "does not exist"),
        (["index=nothing"], "does not exist"),
    ],
)
def test_wrong_settings_are_reported_in_one_line(tmp_path: Path, given: list[str], text: str) -> None:
    process = subprocess.run([*COMMAND, *given], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert process.returncode == (1 if "=nothing" in "".join(given) else 2), process.stderr
    assert text in process.stderr
    assert "Traceback" not in process.stderr
    assert list(tmp_path.iterdir()) == []
