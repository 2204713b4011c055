"""Commands in the README, the docstrings of scripts and the scripts under runs/ name settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from contrastive_artifacts import cli
from contrastive_artifacts.cli.help import docstring
from contrastive_artifacts.cli.words import Positional, parse

ROOT = Path(__file__).parents[2]
CALL = re.compile(
    r"(?:^\s*python|\"\$PYTHON\"|BIN\)/python) (?:scripts|analysis)/(\w+)\.py((?:[^\n#`\\]|\\\n)*)", re.MULTILINE
)
SHELL = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "runs").glob("*.sh"))}
TEXTS = {
    **{name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile")},
    **SHELL,
    **{path.name: docstring(path) for path in cli.verbs().values()},
}


def positional(verb: str) -> Positional | None:
    """What the script says that a word without ``name=`` is; the script is not run."""
    match = re.search(r"cli\.Positional\(\"(\w+)\", \"([\w.]+)\"(, several=True)?\)", cli.verbs()[verb].read_text())
    return Positional(match[1], match[2], bool(match[3])) if match else None


@pytest.mark.parametrize("name", TEXTS)
def test_commands_that_are_shown_can_be_called(name: str) -> None:
    calls = CALL.findall(TEXTS[name])
    assert calls
    for verb, rest in calls:
        words = [word for word in shlex.split(rest.replace("\\\n", " ")) if word != "$@"]
        parse(words, ROOT / "configs", verb, positional(verb))
