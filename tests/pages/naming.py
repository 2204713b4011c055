"""The rule that voice control needs: what a control shows is part of its name (WCAG 2.5.3)."""

from __future__ import annotations

import re
import time
from typing import Any

_SHOWN = """return [...document.querySelectorAll("button, a[href], summary, [role=tab], [role=option]")]
  .filter((node) => node.checkVisibility() && /[a-z0-9]{2}/i.test(node.innerText))"""


def misnamed(browser: Any) -> list[tuple[str, str]]:
    """(text, name) of the controls in view whose name does not hold the text that they show."""
    from selenium.common.exceptions import StaleElementReferenceException

    pairs: list[tuple[str, str]] = []
    for _ in range(20):
        try:
            pairs = [(node.text, node.accessible_name) for node in browser.execute_script(_SHOWN)]
            break
        except StaleElementReferenceException:  # a list was written anew meanwhile
            time.sleep(0.2)
    assert pairs
    return [(text, name) for text, name in pairs if _words(text) not in _words(name)]


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
