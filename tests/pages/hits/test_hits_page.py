"""The page of hits holds the rows in order; nothing else runs or loads."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.hits import HitRow, write_hits
from contrastive_artifacts.pages.shared.thumbnail import BANDS, FRAMES

RATE = 22050


def row(hertz: float, score: float | None, channels: int = 1) -> HitRow:
    tone = (0.01 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)
    return HitRow(f"{hertz}</script>", "0 - 1", score, np.stack([tone] * channels), RATE, {"heard": "hum", "p": 0.5})


def test_a_page_with_the_query_and_its_hits(tmp_path: Path) -> None:
    write_hits(tmp_path / "hits.html", [row(100, None), row(440, 0.9, 2), row(2000, 0.5)], "Like <b>", {"index": "x"})
    page = (tmp_path / "hits.html").read_text(encoding="utf-8")
    block = re.search(r'id="data">(.*?)</script>', page)
    assert block
    data = json.loads(block.group(1))
    assert [r["score"] for r in data["rows"]] == [None, 0.9, 0.5]
    assert data["rows"][1]["facts"] == [["heard", "hum"], ["p", "0.5"]]
    assert all(len(base64.b64decode(r["picture"])) == BANDS * FRAMES for r in data["rows"])
    assert len({r["sound"] for r in data["rows"]}) == 3
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(ParameterError, match="no hits"):
        write_hits(tmp_path / "none.html", [], "Like", {})
