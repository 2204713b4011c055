"""The explorer's page: a map of up to a million rows to look at, play, search and label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.html import build_page


def explore_page(about: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        about: The answer of ``GET /api/about``, plain JSON; the page starts with it and requests the rest.

    Raises:
        ParameterError: ``about`` is not JSON.
    """
    return build_page(
        __package__,
        "explorer",
        str(about["title"]),
        {"about": dict(about)},
        allow="connect-src 'self'",
    )
