"""What the build of the manual adds to docs/: generated reference, files of the root, pages that nav leaves out."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "manual")]

import artifact_pages  # noqa: E402
import verb_pages  # noqa: E402

PROJECT = ("MODEL_CARD.md", "CHANGELOG.md", "LOG.md", "CONTRIBUTING.md", "SECURITY.md")  # pages under project/
_ROLE = re.compile(r":(?:func|class|mod|meth|attr|data|ref):(?=`|<code>)")
_LINK = re.compile(r"\]\((?!https?://|#)([^)\s]+)\)")
GUIDES = "Guides"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds pages of docs/ that the navigation does not name to its section of guides."""
    config.nav = with_the_rest(config.nav or [], Path(config.docs_dir))
    return config


def with_the_rest(nav: list[Any], docs: Path) -> list[Any]:
    """The navigation with every other page right below ``docs`` added to its section of guides, by name."""
    rest = sorted({path.name for path in docs.glob("*.md")} - set(_pages(nav)))
    return [{GUIDES: [*entry[GUIDES], *rest]} if GUIDES in entry else entry for entry in nav]


def _pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [page for entry in inner for page in _pages(entry)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made at build time."""
    for name, content in generated().items():
        if files.get_file_from_path(name) is None:
            files.append(File.generated(config, name, content=content))
    return files


def generated() -> dict[str, str | bytes]:
    """Path below docs/ -> content of every page and picture that is made at build time."""
    project = {f"project/{name.lower()}": from_root((ROOT / name).read_text(encoding="utf-8")) for name in PROJECT}
    return {**project, **verb_pages.pages(ROOT / "configs"), **artifact_pages.pages()}


def from_root(text: str) -> str:
    """The text of a page of the root as a page of project/: its links and pictures, relative to there."""

    def moved(match: re.Match[str]) -> str:
        target = match[1]
        if target in PROJECT:
            return f"]({target.lower()})"
        if target.startswith("docs/"):
            return f"](../{target.removeprefix('docs/')})"
        return match[0]

    return _LINK.sub(moved, text)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files of the root lead to their pages under project/."""
    here = page.file.src_uri.count("/")
    for name in PROJECT:
        target = "../" * here + f"project/{name.lower()}"
        markdown = markdown.replace(f"]({'../' * (here + 1)}{name})", f"]({target})")
    return markdown


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name functions as :func:`name`; pages show the name alone."""
    return _ROLE.sub("", html)
