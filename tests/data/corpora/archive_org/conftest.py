from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_server import ArchiveServer, serving

from contrastive_artifacts.core import web
from contrastive_artifacts.data.corpora.archive_org import service


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ArchiveServer]:
    """An archive.org, with the cache in ``tmp_path/cache`` and no pauses."""
    monkeypatch.setattr(service, "PAUSE_S", 0.0)
    monkeypatch.setattr(web, "PAUSE_S", 0.0)
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path / "cache"))
    with serving() as running:
        monkeypatch.setenv(service.ADDRESS_VARIABLE, running.url)
        yield running
