"""Self-contained HTML pages: one file that opens from disk, loads nothing and runs no script but its own.

A page is made of three files in one folder: ``name.html`` (its body), ``name.css`` and ``name.js``, an ES module that
imports others (see :mod:`.bundle`). They are put inline, with the frame and the base style of this folder. Data are
JSON blocks that cannot break out of their element. A content security policy with the hashes of the script and the
style prevents anything else from running or loading.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from ..errors import ParameterError
from .bundle import bundle

# Seven hues after Okabe & Ito (2008), adjusted for contrast with the light and the dark background; smallest OKLab
# distance under simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009): 0.058 light, 0.076 dark. Each
# hue is combined with one of eight marker shapes, so that colour is never the only difference; hues of one shape differ
# strongly.
CATEGORIES_LIGHT = ("#e18a00", "#53a2ee", "#009874", "#b79b63", "#d55e00", "#0072b2", "#d783c3")
CATEGORIES_DARK = ("#e69f00", "#56b4e9", "#00a969", "#f0e442", "#d55e00", "#0072b2", "#c194aa")
NEUTRAL_LIGHT, NEUTRAL_DARK = "#8a919c", "#7d8590"

# Viridis (van der Walt & Smith 2015, CC0) at even steps. High severity has the most contrast: dark on a light page.
VIRIDIS = (
    *("#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c", "#1fa088"),
    *("#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725"),
)
RAMP_LIGHT = VIRIDIS[14::-1]
RAMP_DARK = VIRIDIS[3:]

_THEME = {
    "light": {"categories": CATEGORIES_LIGHT, "neutral": NEUTRAL_LIGHT, "ramp": RAMP_LIGHT},
    "dark": {"categories": CATEGORIES_DARK, "neutral": NEUTRAL_DARK, "ramp": RAMP_DARK},
}


_BLOCK = re.compile(r'<script type="application/json" id="([^"]*)">')


def embed_json(value: Any) -> str:
    """JSON that is safe inside a ``<script>`` element: ``<``, ``>`` and ``&`` are escaped, so no tag can open.

    Raises:
        ParameterError: the value holds NaN, infinity or something that is not JSON.

    >>> embed_json({"source": "</script>"})
    '{"source":"\\\\u003c/script\\\\u003e"}'
    """
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"A page can hold only plain, finite JSON values: {error}.") from error
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def build_page(package: str, name: str, title: str, data: Mapping[str, Any], allow: str = "") -> str:
    """The page ``name`` of a package as HTML.

    Args:
        package: Dotted name of the package that holds the files.
        name: Stem of the ``.html``, ``.css`` and ``.js`` file.
        title: Any text; it is escaped.
        data: Block id -> JSON value. The block "theme" (the palettes above) is always added.
        allow: More directives of the content security policy, for a page that sends requests to its own server.

    Raises:
        ParameterError: a value is not JSON (see :func:`embed_json`), or the modules do not fit together (see
            :func:`.bundle.bundle`).
    """
    style = _asset(__name__, "base.css") + _asset(package, f"{name}.css")
    script = bundle(_file(package, f"{name}.js"))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    policy += f"; {allow}" if allow else ""
    blocks = {"theme": _THEME, **data}
    heading = html.escape(title)
    return Template(_asset(__name__, "frame.html")).substitute(
        policy=policy,
        title=heading,
        body=Template(_asset(package, f"{name}.html")).substitute(title=heading),
        style=style,
        script=script,
        data="\n".join(
            f'<script type="application/json" id="{html.escape(key)}">{embed_json(value)}</script>'
            for key, value in blocks.items()
        ),
    )


def read_blocks(path: str | Path, names: Collection[str]) -> dict[str, Any]:
    """Blocks of data of a page that :func:`build_page` made and that is stored in a file; those that it has.

    Reads line by line up to the last of them: a page may hold many megabytes of sound behind its other data.
    """
    blocks: dict[str, Any] = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            match = _BLOCK.match(line)
            if match and html.unescape(match[1]) in names:
                blocks[html.unescape(match[1])] = json.loads(line[match.end() : line.rindex("</script>")])
                if len(blocks) == len(names):
                    break
    return blocks


def _asset(package: str, name: str) -> str:
    return _file(package, name).read_text(encoding="utf-8")


def _file(package: str, name: str) -> Path:
    return Path(str(resources.files(package))) / name


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
