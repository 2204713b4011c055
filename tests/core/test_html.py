"""Pages: data cannot break out of their block, and the colours differ for viewers with colour vision deficiencies."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.core import html as pages
from contrastive_artifacts.core.errors import ParameterError

# Machado, Oliveira & Fernandes (2009), severity 1.0, for linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    ) @ np.clip(rgb, 0, 1)
    return np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    ) @ np.cbrt(lms)


def contrast(colour: str, background: str) -> float:
    low, high = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (colour, background))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("colours", "background"),
    [
        ([*pages.CATEGORIES_LIGHT, pages.NEUTRAL_LIGHT], "#ffffff"),
        ([*pages.CATEGORIES_DARK, pages.NEUTRAL_DARK], "#14171c"),
    ],
    ids=["light", "dark"],
)
@pytest.mark.parametrize("eye", DEFICIENCIES)
def test_hues_stay_apart_and_stand_out(colours: list[str], background: str, eye: str) -> None:
    seen = [oklab(DEFICIENCIES[eye] @ linear(c)) for c in colours]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.05
    assert min(contrast(c, background) for c in colours) > 2.5


@pytest.mark.parametrize("stops", [pages.RAMP_LIGHT, pages.RAMP_DARK], ids=["light", "dark"])
def test_severity_ramp_is_even_in_lightness(stops: tuple[str, ...]) -> None:
    lightness = np.array([oklab(linear(c))[0] for c in stops])
    steps = np.diff(lightness)
    assert (np.sign(steps) == np.sign(steps[0])).all(), "lightness must run one way"
    assert np.abs(steps).max() / np.abs(steps).mean() < 1.6


def test_severe_lies_farther_from_the_background_than_mild() -> None:
    for stops, background in ((pages.RAMP_LIGHT, "#ffffff"), (pages.RAMP_DARK, "#14171c")):
        assert contrast(stops[-1], background) > 3 * contrast(stops[0], background)


def test_data_block_cannot_be_left() -> None:
    nasty = ["</script><script>alert(1)</script>", "<!-- <script>", "a & b", "\u2028"]
    text = pages.embed_json(nasty)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == nasty


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_values_that_are_not_json_are_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="plain, finite JSON"):
        pages.embed_json({"a": value})


def test_only_known_script_and_style_may_run() -> None:
    page = pages.build_page(
        "contrastive_artifacts.scan.timeline", "timeline", "<i>$title</i>", {"data": {"x": "$style"}}
    )
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    directives = dict(directive.split(" ", 1) for directive in policy[1].split("; "))
    for name, element in (("script-src", "<script>"), ("style-src", "<style>")):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+'", directives[name]), "one hash and nothing else"
        assert page.count(element) == 1
    assert "<title>&lt;i&gt;$title&lt;/i&gt;</title>" in page
    assert not re.search(r"""(src|href)\s*=|@import|url\(|https?://(?!www\.w3\.org/2000/svg)""", page)


def test_blocks_are_read_back_from_a_page(tmp_path: Path) -> None:
    values = {"data": {"name": "</script> & <b>\n", "n": [1, None]}, "sound0": "AAAA", "sound1": "BBBB"}
    page = pages.build_page("contrastive_artifacts.scan.timeline", "timeline", "title", values)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    blocks = pages.read_blocks(tmp_path / "page.html", ["data", "sound1", "gone"])
    assert blocks == {"data": values["data"], "sound1": "BBBB"}
