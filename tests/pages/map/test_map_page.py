"""The map page as a file: its data, names that are markup, and input that is refused."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.map import MapPoint, write_map


def block(page: str, name: str) -> Any:
    match = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


def point(**changes: Any) -> MapPoint:
    return MapPoint(**{"x": 0.0, "y": 1.0, "id": "a", "artifact": "hum", "severity": 0.5, "source": "film", **changes})


def test_points_facts_and_sound_are_inside(tmp_path: Path) -> None:
    points = [
        point(audio=b"one", params={"parameters": {"base_hz": np.float32(50)}}),
        point(x=2.0, id="b", artifact="clean", severity=0.0, audio=b"one"),
        point(x=3.0, id="c", source="other", audio=b"two", mime="audio/flac"),
        point(x=np.float32(4.0), id="d"),
    ]
    write_map(tmp_path / "map.html", points, "Map", {"encoder": "x", "clips": 4, "silhouette": 0.41234})
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    data = block(page, "data")
    assert data["artifacts"] == ["clean", "hum"]
    assert data["sources"] == ["film", "other"]
    assert data["facts"] == [["encoder", "x"], ["clips", "4"], ["silhouette", "0.4123"]]
    assert data["points"]["x"] == [0.0, 2.0, 3.0, 4.0]
    assert data["points"]["artifact"] == [1, 0, 1, 1]
    assert data["points"]["params"][0] == [["base_hz", "50"]]
    assert data["points"]["clip"] == [0, 0, 1, -1]
    assert block(page, "sounds") == [
        ["audio/mpeg", base64.b64encode(b"one").decode()],
        ["audio/flac", base64.b64encode(b"two").decode()],
    ]


def test_close_points_on_a_tiny_scale_stay_apart(tmp_path: Path) -> None:
    write_map(tmp_path / "map.html", [point(x=1e-7), point(x=2e-7)], "Map")
    xs = block((tmp_path / "map.html").read_text(encoding="utf-8"), "data")["points"]["x"]
    assert xs == [1e-7, 2e-7]


def test_no_string_becomes_markup(tmp_path: Path) -> None:
    nasty = "</script><img src=x onerror=alert(1)>"
    spiteful = point(
        id=nasty, source=nasty, artifact=nasty, corpus=nasty, params={nasty: nasty}, mime=nasty, audio=b"1"
    )
    write_map(tmp_path / "map.html", [spiteful], nasty, {nasty: nasty})
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("</script>") == page.count("<script")
    assert f"<title>{html.escape(nasty)}</title>" in page
    assert block(page, "data")["points"]["id"] == [nasty]


def test_what_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="at least one point"):
        write_map(tmp_path / "map.html", [], "Map")
    with pytest.raises(ParameterError, match=r"'lost'.*finite"):
        write_map(tmp_path / "map.html", [point(id="lost", x=float("nan"))], "Map")
    with pytest.raises(ParameterError, match=r"'loud'.*\[0, 1\]"):
        write_map(tmp_path / "map.html", [point(id="loud", severity=1.2)], "Map")
    assert not list(tmp_path.iterdir())
