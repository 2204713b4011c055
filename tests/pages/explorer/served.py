"""A client of a collection's server; needs the extra ``serve``."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import numpy as np
import soundfile
from explored import RATE
from fastapi.testclient import TestClient

from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.server import explore_app
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.probes.labels import Labels

BASE = "http://127.0.0.1:8078"
BYTES = {"Content-Type": "application/octet-stream"}
NOISE = np.random.default_rng(0).normal(0, 0.1, (1, 2 * RATE)).astype(np.float32)


def client(
    collection: Collection, journal: Journal, access: serving.Access | None = None, base: str = BASE
) -> TestClient:
    labels = Labels(journal, "ana", collection.index.fingerprint)
    app = explore_app(collection, labels, access or serving.Access.to("127.0.0.1"))
    return TestClient(app, base_url=base, raise_server_exceptions=False)


def wav(wave: np.ndarray, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, wave.T, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def search_by_sound(api: TestClient, data: bytes | Iterator[bytes], name: str = "a.wav") -> httpx.Response:
    return api.post("/api/search/sound", content=data, headers={**BYTES, "X-Name": name})
