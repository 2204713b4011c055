"""The explorer's page: a map of up to a million rows to look at, listen to, search and label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.html import build_page

SCRIPTS = (
    *(
        "../shared/marks.js",
        "explore_gl.js",
        "explore_map.js",
        "explore_legend.js",
        "explore_sound.js",
        "explore_picture.js",
    ),
    *("explore_panel.js", "explore_search.js", "explore_labels.js", "explore_keys.js"),
)


def explore_page(about: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        about: What ``GET /api/about`` answers, plain JSON; the page starts from it and asks the server for the rest.

    Raises:
        ParameterError: ``about`` is not JSON.
    """
    return build_page(
        __package__,
        "explore",
        str(about["title"]),
        {"about": dict(about)},
        scripts=SCRIPTS,
        allow="connect-src 'self'; media-src 'self' blob:",
    )
