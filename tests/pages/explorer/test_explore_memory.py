"""Memory of a server returns to its level after uploads, but for the queries that it stores."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
import httpx
from served import BYTES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured, and returned, on Linux only")
SERVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from explored import archive
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.server import explore_app
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.probes.labels import Labels
folder = Path(sys.argv[2])
collection, access = archive(folder), serving.Access.to("127.0.0.1")
with Journal(folder / "labels.jsonl") as journal:
    app = explore_app(collection, Labels(journal, "ana", collection.index.fingerprint), access)
    serving.serve(app, access, 0, lambda url: print(url, flush=True))
"""
STORED = 64  # MB of stored queries


def megabytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS"))


def wav(seconds: int) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(seconds).normal(0, 0.1, (seconds * 44100, 2))
    soundfile.write(file, noise, 44100, format="WAV", subtype="PCM_16")
    return file.getvalue()


def test_memory_after_twenty_uploads(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            before = megabytes(process.pid)
            with httpx.Client(base_url=url, timeout=120) as api:
                for n in range(20):
                    answer = api.post("/api/search/sound", content=wav((20, 60, 40)[n % 3]), headers=BYTES)
                    assert answer.status_code == 200
            time.sleep(0.5)
            after = megabytes(process.pid)
        finally:
            process.terminate()
            process.wait(20)
    assert after - before < STORED + 100, f"{before} MB before, {after} MB after"
