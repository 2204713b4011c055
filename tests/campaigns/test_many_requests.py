"""Many requests at once at the explorer's server: each is answered or refused, and memory returns to its level.

The short version sends forty, ``make campaign`` 200, five times.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from verbs import RATE, ROOT, record

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
httpx = pytest.importorskip("httpx")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is measured, and returned, on Linux only"),
]
STORED = 64  # MB of stored queries
BYTES = {"Content-Type": "application/octet-stream"}
Call = Callable[["httpx.Client"], "httpx.Response"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Address and process of an explorer of an archive of twelve recordings."""
    home = tmp_path_factory.mktemp("archive")
    record(home / "recordings", count=12, seconds=20.0)
    python, scripts = [sys.executable, "-u"], ROOT / "scripts"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = [str(scripts / "embed.py"), str(home / "recordings"), f"out={home}/a.parquet", f"index={home}/index"]
    subprocess.run([*python, *made], check=True, capture_output=True, cwd=ROOT, env=environment)
    command = [*python, str(scripts / "explore.py"), f"index={home}/index", "port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        try:
            assert process.stdout is not None
            yield next(line for line in process.stdout if line.startswith("page")).split()[1], process.pid
        finally:
            process.terminate()


def upload(seconds: float) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (round(seconds * RATE), 2))
    soundfile.write(file, noise, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def calls(count: int, rows: int, seed: int) -> list[Call]:
    """Requests of every kind, in random order."""
    rng, sounds = random.Random(seed), [upload(seconds) for seconds in (3.0, 20.0)]

    def call() -> Call:
        row, k = rng.randrange(rows), rng.choice((1, 12, 200))
        sound = rng.choice(sounds)
        kinds: list[Call] = [
            lambda api: api.get("/"),
            lambda api: api.get("/api/map"),
            lambda api: api.get("/api/labels.csv"),
            lambda api: api.get(f"/api/rows/{row}"),
            lambda api: api.get(f"/api/rows/{row}/picture", params={"pad": 5}),
            lambda api: api.get(f"/api/rows/{row}/audio", headers={"Range": "bytes=100-2000"}),
            lambda api: api.get(f"/api/rows/{row}/neighbours", params={"k": k}),
            lambda api: api.post("/api/search/rows", json={"like": [row], "k": k}),
            lambda api: api.post("/api/search/span", json={"row": row, "start": 0, "stop": 2, "k": k}),
            lambda api: api.post("/api/search/sound", content=sound, headers=BYTES),
            lambda api: api.post("/api/labels", json={"rows": [row], "action": "relabel", "label": "hum"}),
        ]
        return rng.choice(kinds)

    return [call() for _ in range(count)]


def storm(url: str, count: int, seed: int) -> Counter[int]:
    """Sends so many requests at once; returns how many were answered with which status."""
    limits = httpx.Limits(max_connections=count)
    with httpx.Client(base_url=url, timeout=120, limits=limits) as api, ThreadPoolExecutor(count) as pool:
        rows = api.get("/api/about").json()["count"]
        return Counter(pool.map(lambda call: call(api).status_code, calls(count, rows, seed)))


def megabytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS"))


def storms(server: tuple[str, int], count: int, times: int) -> dict[str, object]:
    url, process = server
    storm(url, count, seed=0)  # the first use of everything
    time.sleep(1)
    before, answers = megabytes(process), Counter[int]()
    for seed in range(1, times + 1):
        answers += storm(url, count, seed)
    time.sleep(1)
    after = megabytes(process)
    assert set(answers) <= {200, 206, 503}, answers  # 503: more are waiting than the server lets wait
    assert answers[200] + answers[206] > 0.2 * count * times, answers
    assert after - before < STORED + 100, f"{before} MB before, {after} MB after"
    assert httpx.get(f"{url}api/about").status_code == 200
    return {"requests": count * times, "answers": dict(answers), "before_mb": before, "after_mb": after}


def test_forty_requests_at_once(server: tuple[str, int]) -> None:
    storms(server, count=40, times=1)


@pytest.mark.campaign
def test_two_hundred_requests_at_once(server: tuple[str, int]) -> None:
    print(json.dumps(storms(server, count=200, times=5)))
