"""``scan FILE serve=true``, called as people call it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from browsing import SCRIPTS, serving

pytest.importorskip("uvicorn", reason="the extra is not installed: pip install -e '.[serve]'")
from recorded import sound_file

pytestmark = pytest.mark.slow


def test_a_scanned_file_is_served_until_it_is_interrupted(tmp_path: Path) -> None:
    sound_file(tmp_path)
    with serving("scan", "reel.wav", "serve=true", "port=0", "out=results/reel", folder=tmp_path) as (process, url):
        assert b"reel.wav" in urlopen(url).read()
        assert json.load(urlopen(f"{url}api/decisions")) == {"decisions": []}
        body = json.dumps({"finding": 99_999, "decision": "keep"}).encode()
        with pytest.raises(OSError, match="400"):
            urlopen(Request(f"{url}api/decisions", body, {"Content-Type": "application/json"}))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (tmp_path / "results" / "reel.artifacts.html").is_file()
    assert (tmp_path / "results" / "reel.labels.jsonl").read_bytes() == b""


@pytest.mark.parametrize("words", [(".",), ("reel.wav", "streams=all")])
def test_one_stream_of_one_file_is_served(tmp_path: Path, words: tuple[str, ...]) -> None:
    sound_file(tmp_path)
    command = [sys.executable, str(SCRIPTS / "scan.py"), *words, "serve=true"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "give one FILE, not streams=all" in done.stderr
