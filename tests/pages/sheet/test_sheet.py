"""The contact sheet: its cells hold the rendered views."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.shared.thumbnail import BANDS, FRAMES
from contrastive_artifacts.pages.sheet import SheetRow, write_sheet
from contrastive_artifacts.pages.sheet.page import touched

RATE = 22050


def row(name: str) -> SheetRow:
    clean = (0.1 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)[None]
    return SheetRow(artifacts.artifact(name), clean, [artifacts.render(name, clean, RATE, s, 1) for s in (0.0, 1.0)])


def test_a_page_with_a_cell_per_severity(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.html", [row("hum"), row("dropout")], "Demo <b>", {"clip": "tone </script>"})
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    block = re.search(r'id="data">(.*?)</script>', page)
    assert block
    data = json.loads(block.group(1))
    assert data["severities"] == [0.0, 1.0]
    assert [r["name"] for r in data["rows"]] == ["hum", "dropout"]
    for cells in (r["cells"] for r in data["rows"]):
        assert len(cells) == 3
        assert len({cell["sound"] for cell in cells}) == 3
        assert len(base64.b64decode(cells[0]["picture"])) == BANDS * FRAMES
        assert cells[0]["segments"] == 0
    assert data["rows"][0]["cells"][2]["touched"] == ""
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_touched_parts() -> None:
    assert touched(np.array([[0, 1000]]), 1000) == ""
    assert touched(np.zeros((0, 2), dtype=np.int64), 1000) == "0" * FRAMES
    marks = touched(np.array([[0, 1], [500, 501], [999, 1000]]), 1000)
    assert [n for n, mark in enumerate(marks) if mark == "1"] == [0, FRAMES // 2, FRAMES - 1]


def test_rows_must_match(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="equally many"):
        write_sheet(tmp_path / "sheet.html", [], "Demo", {})
