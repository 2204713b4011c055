"""Commands in README, manual, docstrings of scripts and the scripts under runs/ name settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from contrastive_artifacts import cli
from contrastive_artifacts.cli.help import docstring
from contrastive_artifacts.cli.words import Positional, parse

ROOT = Path(__file__).parents[2]
PYTHON = r"(?:^\s*python|\"\$PYTHON\"(?: -m torch\.distributed\.run[^\n]*)?|BIN\)/python|^\s*torchrun[^\n]*)"
CALL = re.compile(
    rf"(?:{PYTHON} (?:scripts|analysis)/(\w+)\.py|^\s*contrastive-artifacts (\w+))((?:[^\n#`\\]|\\\n)*)", re.MULTILINE
)
INLINE = re.compile(r"`(?:python (?:scripts|analysis)/(\w+)\.py|contrastive-artifacts (\w+)(?= \w+=))([^`\n#]*)`")
SHELL = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "runs").glob("*.sh"))}
TEXTS = {
    **{name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile")},
    **SHELL,
    **{f"{path.relative_to(ROOT)}": path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))},
    **{path.name: docstring(path) for path in cli.verbs().values()},
}


REQUIRED = {"README.md", "Makefile", *SHELL, *(path.name for path in cli.verbs().values())}


def positional(verb: str) -> Positional | None:
    """What the script says that a word without ``name=`` is; the script is not run."""
    match = re.search(r"cli\.Positional\(\"(\w+)\", \"([\w.]+)\"(, several=True)?\)", cli.verbs()[verb].read_text())
    return Positional(match[1], match[2], bool(match[3])) if match else None


def calls(text: str) -> list[tuple[str, str]]:
    """Verb and the rest of every call in blocks of code, docstrings and shell scripts, and in the running text."""
    return [(a or b, rest) for pattern in (CALL, INLINE) for a, b, rest in pattern.findall(text)]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if name in REQUIRED or calls(text)])
def test_commands_that_are_shown_can_be_called(name: str) -> None:
    assert calls(TEXTS[name])
    for verb, rest in calls(TEXTS[name]):
        words = [word for word in shlex.split(rest.replace("\\\n", " ")) if word != "$@"]
        parse(words, ROOT / "configs", verb, positional(verb))
